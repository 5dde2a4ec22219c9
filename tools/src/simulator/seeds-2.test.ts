// A share of the seeds that every run of the tests goes through.
import { seedsKeepTheirPromises } from './seeds.suite.ts'

seedsKeepTheirPromises({ scenario: 'groups', weather: 'links' }, 1, 15)
seedsKeepTheirPromises({ scenario: 'groups', weather: 'refusals' }, 1, 15)
seedsKeepTheirPromises({ scenario: 'groups', weather: 'deaths' }, 1, 20)
seedsKeepTheirPromises({ scenario: 'groups', weather: 'restarts' }, 1, 10)
seedsKeepTheirPromises({ scenario: 'groups', weather: 'storm' }, 1, 30)
seedsKeepTheirPromises({ scenario: 'all', weather: 'storm' }, 1, 15)
