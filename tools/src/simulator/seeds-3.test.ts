// A share of the seeds that every run of the tests goes through.
import { seedsKeepTheirPromises } from './seeds.suite.ts'

seedsKeepTheirPromises({ scenario: 'transactions', weather: 'links' }, 1, 20)
seedsKeepTheirPromises({ scenario: 'transactions', weather: 'refusals' }, 1, 15)
seedsKeepTheirPromises({ scenario: 'transactions', weather: 'deaths' }, 1, 15)
seedsKeepTheirPromises({ scenario: 'transactions', weather: 'restarts' }, 1, 10)
seedsKeepTheirPromises({ scenario: 'transactions', weather: 'storm' }, 1, 25)
seedsKeepTheirPromises({ scenario: 'pipeline', weather: 'links' }, 1, 10)
seedsKeepTheirPromises({ scenario: 'pipeline', weather: 'refusals' }, 1, 10)
seedsKeepTheirPromises({ scenario: 'pipeline', weather: 'deaths' }, 1, 15)
seedsKeepTheirPromises({ scenario: 'pipeline', weather: 'restarts' }, 1, 10)
seedsKeepTheirPromises({ scenario: 'pipeline', weather: 'storm' }, 1, 25)
