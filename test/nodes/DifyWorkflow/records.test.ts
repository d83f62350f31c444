/** The record of a run that does not end. */
import { useClock } from '../../guarantees/support/fake-clock';
import { useSimulator } from '../../simulators/use-simulator';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { getNodeError } from '../dify';
import { executeOperation } from './workflow';

const RUN_ID = '1c7e55fb-1ba2-4e10-81b5-30addcea2276';
const RUN = { id: RUN_ID, workflow_id: 'a-workflow', status: 'running', outputs: {} };

const serve = useSimulator(startScripted);
const clock = useClock();

test('Get gives up after the seconds of its Timeout', async () => {
	const sim = await serve((_sent, response) => sendJson(response, RUN));
	const waiting = executeOperation(sim, 'run', 'get', {
		workflowRunId: RUN_ID,
		waitUntilFinished: true,
		waitTimeout: 90,
	});
	const error = await getNodeError(clock.passUntil(waiting));
	expect(`${error.message} ${error.description}`).toContain('90 s');
});
