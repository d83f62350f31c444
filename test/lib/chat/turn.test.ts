/** What a turn adds to its settings, and takes back from its response. */
import { runTurn } from '../../../lib/chat/turn';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import { createModelServer } from '../../../lib/servers/endpoint';
import { called, CHAT, delta, LLAMA_SERVER, streamed } from '../../guarantees/support/responses';
import { useServers } from '../../support/servers/scripted-server';
import { PLAIN_SETTINGS } from './chat-settings';

const start = useServers();

async function chat(
	more: Partial<ChatRequest>,
	stop?: string[],
	response = delta({ content: 'Hi' }),
) {
	const answer = streamed(response, delta({}, 'stop'));
	const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: answer });
	const result = await runTurn({
		server: createModelServer({ baseUrl: server.url }),
		settings: { ...PLAIN_SETTINGS, sampling: stop === undefined ? {} : { stop } },
		chatRequest: { messages: [{ type: 'human', content: 'Hi' }], ...more },
	});
	return { result, sent: server.sent(CHAT)[0]! };
}

test.each([
	{ ofNode: undefined, ofCall: undefined, stop: undefined },
	{ ofNode: ['END'], ofCall: undefined, stop: ['END'] },
	{ ofNode: undefined, ofCall: ['Observation:'], stop: ['Observation:'] },
	{ ofNode: ['END'], ofCall: [], stop: ['END'] },
	{ ofNode: ['END'], ofCall: ['Observation:'], stop: ['END', 'Observation:'] },
	{ ofNode: ['END', 'a'], ofCall: ['a', 'b'], stop: ['END', 'a', 'b'] },
])('stop texts of the node $ofNode and of the call $ofCall', async ({ ofNode, ofCall, stop }) => {
	const { sent } = await chat({ stop: ofCall }, ofNode);
	expect(sent.stop).toEqual(stop);
});

const tool = (name: string) => ({ name, schema: { type: 'object', properties: {} } });

test.each([
	{ what: 'offered', name: 'get weather', wireName: 'get_weather' },
	{ what: 'not offered', name: 'send mail', wireName: 'send_mail' },
	{
		what: 'not offered, whose name another one has',
		name: 'get_weather',
		wireName: 'get_weather_2',
	},
])('a call of a tool that is $what has its own name: $name', async ({ what, name, wireName }) => {
	const offered = tool(what === 'offered' ? name : 'get weather');
	const unoffered = what === 'offered' ? [tool('other')] : [tool(name)];
	const expected = name === 'get_weather' ? name : wireName;
	const { result } = await chat(
		{ tools: [offered], unofferedTools: unoffered },
		undefined,
		called('1', expected, '{}'),
	);
	expect(result.toolCalls.map((call) => call.name)).toEqual([name]);
});
