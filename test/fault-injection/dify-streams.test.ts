/** Cuts recorded streams after each byte; `npm test` tries some offsets. */
import { CUT_STREAMS, expectWholeOrFailed } from '../nodes/shared/dify/cut-streams';

type VirtualTime = typeof import('../recordings/support/virtual-time');
jest.mock(
	'node:timers',
	() => jest.requireActual<VirtualTime>('../recordings/support/virtual-time').timers,
);
jest.mock(
	'n8n-workflow',
	() => jest.requireActual<VirtualTime>('../recordings/support/virtual-time').workflow,
);

const newest = CUT_STREAMS.filter(([set]) => set === 'dify-1.16.0');

test.each(newest)('%s %s, cut after each byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, 1);
});
