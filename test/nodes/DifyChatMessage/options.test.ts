import { startApp, startSim, UNKNOWN_ID } from '../../lib/dify/client';
import { sendMessageError, sendMessageJson } from '../dify';

describe('the request of a message', () => {
	test('version, automatic name and trace ID are sent', async () => {
		const sim = await startApp({ mode: 'advanced-chat', versions: [UNKNOWN_ID] });
		await sendMessageJson(sim, {
			mode: 'advanced-chat',
			parameters: {
				options: { workflowId: ` ${UNKNOWN_ID} `, autoGenerateName: false, traceId: 'trace_1' },
			},
		});
		expect(sim.requests[0]!.json).toMatchObject({
			workflow_id: UNKNOWN_ID,
			auto_generate_name: false,
			trace_id: 'trace_1',
		});
		expect(
			(
				await sendMessageError(sim, {
					mode: 'advanced-chat',
					parameters: { options: { traceId: 'no blanks' } },
				})
			).message,
		).toBe('The trace ID is not valid');
	});

	test('timeouts are seconds; 0 disables them, invalid values are rejected', async () => {
		const sim = await startApp(
			{ mode: 'chat', reply: () => ({ steps: [{ text: 'a' }, { wait: 60_000 }] }) },
			{ stream: { pingEveryMs: 5 } },
		);
		expect(
			(await sendMessageError(sim, { parameters: { options: { totalTimeout: '0.05' } } }))
				.description,
		).toContain('longer than 50 ms');
		expect(
			(await sendMessageError(sim, { parameters: { options: { idleTimeout: 'soon' } } })).message,
		).toContain('"Idle Timeout (Seconds)" must be a number');
	});

	test('a rejected run is retried as often as the option says', async () => {
		const sim = await startSim();
		sim.fail({
			status: 429,
			body: '{"code":"too_many_requests","message":"Too many requests","status":429}',
			contentType: 'application/json',
			times: 1,
		});
		expect(
			(await sendMessageError(sim, { parameters: { options: { maxRetries: 0 } } })).message,
		).toContain('Too many requests');
		sim.fail({
			status: 429,
			body: '{"code":"too_many_requests","message":"Too many requests","status":429}',
			contentType: 'application/json',
			times: 1,
		});
		expect(
			await sendMessageJson(sim, { parameters: { options: { maxRetries: 1 } } }),
		).toMatchObject({
			answer: 'You said: hi',
		});
	});
});
