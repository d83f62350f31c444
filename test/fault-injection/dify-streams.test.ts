/** Each byte behind which a recorded stream may break off; `npm test` tries some of them. */
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

test.each(newest)('%s %s, cut behind each byte', async (set, name, found) => {
	await expectWholeOrFailed(set, name, found, 1);
});
