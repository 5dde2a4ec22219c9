// The other half of the five hundred seeds.
import { seedsKeepTheirPromises } from './seeds.suite.ts'

seedsKeepTheirPromises('restarts', 1, 100)
seedsKeepTheirPromises('storm', 1, 170)
