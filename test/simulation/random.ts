export { Random, seededIds } from '../../src/testing/random.ts';
