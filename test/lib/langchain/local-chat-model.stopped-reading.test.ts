/** A chain that stops reading a response ends its request, whether it has a signal of its own or not. */
import { WEATHER } from '../../guarantees/support/agent-turns';
import { chatModel } from '../../guarantees/support/node-runner';
import { CHAT, delta, LLAMA_SERVER, openStream, send } from '../../guarantees/support/responses';
import { createDeferred } from '../../support/waiting/deferred';
import { withDeadline } from '../../support/waiting/deadline';
import { useServers } from '../../support/servers/scripted-server';

const start = useServers();

test.each([
	{ hasSignal: false, tools: [] },
	{ hasSignal: true, tools: [] },
	{ hasSignal: false, tools: [WEATHER] },
	{ hasSignal: true, tools: [WEATHER] },
])('its own signal: $hasSignal, with $tools.length tools', async ({ hasSignal, tools }) => {
	const signal = hasSignal ? new AbortController().signal : undefined;
	const closed = createDeferred();
	const server = await start({
		...LLAMA_SERVER,
		[`POST ${CHAT}`]: (_request, response) => {
			openStream(response);
			const speaking = setInterval(() => send(response, delta({ content: 'One ' })), 20);
			response.on('close', () => {
				clearInterval(speaking);
				closed.open();
			});
		},
	});
	const { supplied } = await chatModel(server.url);
	const stream = await supplied.bindTools(tools).stream('Hi', { signal });
	for await (const _chunk of stream) break;
	await withDeadline(closed.wait, () => 'the end of the request');
	expect(server.sent(CHAT)).toHaveLength(1);
});
