/**
 * n8n's library with a `sleep` that ends immediately: this package pauses only with it.
 *
 *     jest.mock('n8n-workflow', () => jest.requireActual<object>('./support/mock-sleep'));
 */
import { setImmediate } from 'node:timers';

const actual = jest.requireActual<typeof import('n8n-workflow')>('n8n-workflow');

/** Received data is read first, as in a real pause. */
async function sleep(): Promise<void> {
	await new Promise(setImmediate);
}

module.exports = Object.create(actual, { sleep: { value: sleep, enumerable: true } }) as object;
