import type { INodeProperties } from 'n8n-workflow';
import { DifyChatMessage } from '../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { waitFor } from '../../lib/dify/wait-for';
import { startApp, startSim } from '../../lib/dify/client';
import { PAGES } from '../../simulators/dify';
import {
	sendMessageError,
	executePrepared,
	getNodeError,
	prepareNode,
	getProperties,
	toSteps,
} from '../dify';

describe('a message', () => {
	test('a proxy page after pings is not a queued run', async () => {
		const sim = await startSim({});
		const body = `event: ping\n\n${PAGES.nginx502}`;
		sim.fail({ path: '/chat-messages', status: 200, body, contentType: 'text/event-stream' });
		const error = await sendMessageError(sim, {});
		expect(error.context.data).toMatchObject({ type: 'streamEndedEarly' });
	});

	test('Stop ends a queued run as soon as it has an ID', async () => {
		let startRun = () => {};
		const wait = new Promise<void>((resolve) => (startRun = resolve));
		const sim = await startApp({
			mode: 'chat',
			reply: () => ({ steps: [{ wait }, ...toSteps('a'), { wait: 60_000 }] }),
		});
		const controller = new AbortController();
		const fake = prepareNode('difyChatMessage', sim, { signal: controller.signal });
		const running = getNodeError(executePrepared('difyChatMessage', fake));
		await waitFor(() => sim.runs.length === 1);
		controller.abort();
		startRun();
		await running;
		expect(sim.stops).toMatchObject([{ taskId: sim.runs[0]!.taskId, hit: true }]);
	});

	test('timeouts also apply inside the stream, without a total timeout by default', async () => {
		const options = getProperties(new DifyChatMessage()).find(({ name }) => name === 'options')!
			.options as INodeProperties[];
		const timeoutFields = options.filter(({ name }) => name.endsWith('Timeout'));
		expect(
			Object.fromEntries(timeoutFields.map(({ name, default: preset }) => [name, preset])),
		).toEqual({
			idleTimeout: 600,
			totalTimeout: 0,
		});
		for (const { typeOptions } of timeoutFields) expect(typeOptions).not.toHaveProperty('maxValue');
		const sim = await startApp(
			{ mode: 'chat', reply: () => ({ steps: [...toSteps('a'), { wait: 60_000 }] }) },
			{ stream: { pingEveryMs: 5 } },
		);
		const error = await sendMessageError(sim, { parameters: { options: { totalTimeout: 1.5 } } });
		expect(error.context.data).toMatchObject({
			type: 'runTimeout',
			answer: 'a',
			stopRequested: true,
		});
	});
});
