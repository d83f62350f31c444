/** Which chats give way to interactive ones, if the server takes one request at a time. */
import { setImmediate } from 'node:timers';
import { createModelServer } from '../../../lib/servers/endpoint';
import { CHAT, delta, LLAMA_SERVER, stuckAfter, text } from '../../guarantees/support/responses';
import { useServers } from '../../support/servers/scripted-server';
import { playTurn } from './scripted-turn';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useServers();

test.each([
	{ priority: 'batch', isNeededOnlyAtEnd: true, givesWay: true },
	{ priority: 'batch', isNeededOnlyAtEnd: false, givesWay: false },
	{ priority: 'interactive', isNeededOnlyAtEnd: true, givesWay: false },
	{ priority: undefined, isNeededOnlyAtEnd: true, givesWay: false },
] as const)(
	'a chat with the priority $priority that is needed only at its end ($isNeededOnlyAtEnd) gives way: $givesWay',
	async ({ priority, isNeededOnlyAtEnd, givesWay }) => {
		const stop = new AbortController();
		const server = await start({
			...LLAMA_SERVER,
			[`POST ${CHAT}`]: [stuckAfter(delta({ content: 'Hi ' })), text('Hi')],
		});
		const model = createModelServer(
			{ baseUrl: server.url, maxConcurrentRequests: 1 },
			NO_EXECUTION,
		);
		const first = playTurn(server.url, {
			server: model,
			settings: { priority },
			chatRequest: { isNeededOnlyAtEnd, signal: stop.signal },
		});
		const [request] = await server.arrived(CHAT);
		const second = playTurn(server.url, { server: model, chatRequest: { signal: stop.signal } });
		if (givesWay) {
			await request!.cut;
			expect((await second).result?.text).toBe('Hi');
			expect((await first).result).toMatchObject({ text: 'Hi', timesPreempted: 1 });
		} else {
			for (let turns = 0; turns < 50; turns++)
				await new Promise((resolve) => setImmediate(resolve));
			expect(server.sent(CHAT)).toHaveLength(1);
		}
		stop.abort(new Error('Stop'));
		await Promise.all([first, second]);
	},
);
