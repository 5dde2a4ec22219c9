// Half of the five hundred seeds that every run of the tests goes through; the halves run in workers of their own.
import { seedsKeepTheirPromises } from './seeds.suite.ts'

seedsKeepTheirPromises('calm', 1, 10)
seedsKeepTheirPromises('links', 1, 100)
seedsKeepTheirPromises('deaths', 1, 120)
