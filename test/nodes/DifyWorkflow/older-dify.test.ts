import { MAX_WAIT_MS } from '../../../lib/dify/run/record';
import { UNKNOWN_ID } from '../../lib/dify/client';
import { nodeErrorOf } from '../dify';
import { operate, startFlow } from './workflow';

test('Dify 1.12: the operations that it is too old for', async () => {
	const sim = await startFlow('1.12', { steps: [] });
	const said = [
		await nodeErrorOf(operate(sim, 'run', 'follow', { workflowRunId: UNKNOWN_ID })),
		await nodeErrorOf(operate(sim, 'form', 'get', { formToken: 'tok' })),
		await nodeErrorOf(
			operate(sim, 'form', 'submit', { formToken: 'tok', action: 'a', values: {} }),
		),
	];
	expect(said.map(({ message }) => message)).toEqual([
		'Following a run needs Dify 1.14 or newer, this is 1.12.1',
		'Answering a form needs Dify 1.14 or newer, this is 1.12.1',
		'Answering a form needs Dify 1.14 or newer, this is 1.12.1',
	]);
	expect(MAX_WAIT_MS).toBe(3_600_000);
});
