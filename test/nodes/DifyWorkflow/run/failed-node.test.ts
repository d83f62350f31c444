/** The node in an error: the one that ended the run, not one with a handled failure. */
import type { NodeStep } from '../../../simulators/dify';
import { START, startFlow, workError } from '../workflow';

const node = (title: string, more: Partial<NodeStep> = {}) => ({
	node: { id: title, type: 'code', title, status: 'failed' as const, ...more },
});

const INNER = node('Inner', { iterationId: 'i', error: 'one item is broken' });
const IN_LOOP = node('In Loop', { loopId: 'l', error: 'one pass is broken' });
const OUTER = node('Outer', { error: 'no route' });

test.each([
	['the text of the run is that of the outer one', [INNER, OUTER], 'no route', 'Outer'],
	['the text of the run is another', [INNER, OUTER], 'Something else', 'Outer'],
	['the same after a loop', [IN_LOOP, OUTER], 'Something else', 'Outer'],
	['the inner one has ended it', [OUTER, INNER], 'Run failed: one item is broken', 'Inner'],
	['there is no other', [INNER], 'Something else', 'Inner'],
])('a failure inside an iteration or a loop: %s', async (_name, nodes, fail, failedNode) => {
	const error = await workError(await startFlow({ steps: [START, ...nodes], fail }));
	expect(error.context.data).toMatchObject({ failedNode, failedNodeType: 'code' });
	expect(error.description).toContain(`"${failedNode}" (code)`);
});

test('nodes that continued after a failure or succeeded are not named', async () => {
	const handled = node('Handled', { status: 'exception', error: 'no route' });
	const sim = await startFlow({ steps: [START, handled, OUTER], fail: 'no route' });
	expect((await workError(sim)).context.data).toMatchObject({ failedNode: 'Outer' });
});
