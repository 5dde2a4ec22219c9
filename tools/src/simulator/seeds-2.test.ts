// Part 2 of the seeds that every run of the tests goes through; the parts run in workers of their own.
import { seedsKeepTheirPromises } from './seeds.suite.ts'

seedsKeepTheirPromises('restarts', 1, 120)
