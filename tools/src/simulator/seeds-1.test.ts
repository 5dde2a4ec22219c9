// Part 1 of the seeds that every run of the tests goes through; the parts run in workers of their own.
import { seedsKeepTheirPromises } from './seeds.suite.ts'

seedsKeepTheirPromises('calm', 1, 10)
seedsKeepTheirPromises('deaths', 1, 120)
