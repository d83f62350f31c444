import { RUN_ROUTES, startRun } from '../../../lib/dify/run';
import { said } from '../../nodes/dify';
import { SIM_VERSIONS, type Json, type Reply } from '../../servers/dify';
import { clientOf, failureOf, startApp, startSim } from './client';

describe.each(SIM_VERSIONS)('runs of other apps, %s', (version) => {
	test('Streaming of completion and workflow: read by the same reader, in whatever pieces it comes', async () => {
		const sim = await startSim({ version, stream: { bytesPerWrite: 7, crlf: true } });
		expect(
			await startRun(clientOf(sim, 'completion'), RUN_ROUTES.completion, { inputs: {}, query: 'hi' }, 'u1'),
		).toMatchObject({ status: 'succeeded', text: 'You said: hi' });
		expect(await startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: {} }, 'u1')).toMatchObject({
			status: 'succeeded',
			text: 'You said: ',
		});
		expect(sim.runs.map(({ responseMode }) => responseMode)).toEqual(['streaming', 'streaming']);
	});

	test('Workflow result: partial success is one, failure with status 200 is none, and nothing is polled', async () => {
		const reply = ({ inputs }: { inputs: Json }): Reply => ({
			steps: said('x'),
			...(inputs.fail === true ? { fail: 'boom' } : { exceptions: 1 }),
		});
		for (const stream of [{}, { blockingInstead: true }]) {
			const sim = await startApp(
				version,
				{ mode: 'workflow', reply, form: [{ kind: 'checkbox', variable: 'fail' }] },
				{ stream },
			);
			const run = async (fail: boolean) =>
				await startRun(clientOf(sim, 'workflow'), RUN_ROUTES.workflow, { inputs: { fail } }, 'u1');
			expect(await run(false)).toMatchObject({ status: 'partial-succeeded', text: 'x' });
			expect((await failureOf(run(true))).serverText).toContain('boom');
			expect(sim.requests.map(({ path }) => path)).toEqual(['/workflows/run', '/workflows/run']);
		}
	});
});
