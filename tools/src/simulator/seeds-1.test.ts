// A share of the seeds that every run of the tests goes through; the shares run in workers of their own.
import { seedsKeepTheirPromises } from './seeds.suite.ts'

seedsKeepTheirPromises({ scenario: 'records', weather: 'calm' }, 1, 10)
seedsKeepTheirPromises({ scenario: 'records', weather: 'links' }, 1, 60)
seedsKeepTheirPromises({ scenario: 'records', weather: 'refusals' }, 1, 20)
seedsKeepTheirPromises({ scenario: 'records', weather: 'deaths' }, 1, 70)
seedsKeepTheirPromises({ scenario: 'records', weather: 'restarts' }, 1, 60)
seedsKeepTheirPromises({ scenario: 'records', weather: 'disks' }, 1, 40)
seedsKeepTheirPromises({ scenario: 'records', weather: 'storm' }, 1, 80)
