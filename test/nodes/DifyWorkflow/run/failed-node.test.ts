/** The node in an error: the one that ended the run, not one with a handled failure. */
import type { NodeStep } from '../../../simulators/dify';
import { START, startWorkflow, executeWorkflowError } from '../workflow';

const node = (title: string, fields: Partial<NodeStep> = {}) => ({
	node: { id: title, type: 'code', title, status: 'failed' as const, ...fields },
});

const INNER = node('Inner', { iterationId: 'i', error: 'one item is broken' });
const IN_LOOP = node('In Loop', { loopId: 'l', error: 'one pass is broken' });
const OUTER = node('Outer', { error: 'no route' });

test.each([
	['the error of the run is that of the outer node', [INNER, OUTER], 'no route', 'Outer'],
	['the error of the run is that of no node', [INNER, OUTER], 'Something else', 'Outer'],
	['the same after a loop', [IN_LOOP, OUTER], 'Something else', 'Outer'],
	['the inner node ended the run', [OUTER, INNER], 'Run failed: one item is broken', 'Inner'],
	['only the inner node failed', [INNER], 'Something else', 'Inner'],
])('a failure inside an iteration or a loop: %s', async (_name, nodes, fail, failedNode) => {
	const error = await executeWorkflowError(await startWorkflow({ steps: [START, ...nodes], fail }));
	expect(error.context.data).toMatchObject({ failedNode, failedNodeType: 'code' });
	expect(error.description).toContain(`"${failedNode}" (code)`);
});

test('nodes that continued after a failure or succeeded are not named', async () => {
	const handled = node('Handled', { status: 'exception', error: 'no route' });
	const sim = await startWorkflow({ steps: [START, handled, OUTER], fail: 'no route' });
	expect((await executeWorkflowError(sim)).context.data).toMatchObject({ failedNode: 'Outer' });
});
