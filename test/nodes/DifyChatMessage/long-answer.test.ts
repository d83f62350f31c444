/** A run with endless output is stopped in Dify, and its text is in the error. */
import { execute, prepare } from '../dify';
import { json, type Script, sse, startScripted } from '../../simulators/scripted';
import { useSimulator } from '../../simulators/use-simulator';
import { stream } from '../../support/node-builtins';

const startServer = useSimulator(startScripted);
const [TASK, CONVERSATION] = ['1', '2'].map(
	(digit) => `0000000${digit}-0000-4000-8000-000000000000`,
);
const IDS = { task_id: TASK, conversation_id: CONVERSATION, message_id: CONVERSATION };

test.each([
	['text of a chat', 'message'],
	['text of an agent', 'agent_message'],
])('a run is stopped after 2 MB of %s', async (_name, event) => {
	const message = sse({ event, ...IDS, answer: 'a'.repeat(1000) });
	const endless = function* () {
		for (;;) yield message;
	};
	const script: Script = ({ path }, response) => {
		if (!path.endsWith('/chat-messages')) return json(response, { result: 'success' });
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		stream.Readable.from(endless()).pipe(response);
	};
	const sim = await startServer(script);
	const [item] = await execute(prepare(sim, { continueOnFail: true }));
	const { error } = item!.json as { error: Record<string, unknown> };
	expect(error).toMatchObject({
		type: 'invalidResponse',
		message: 'The response contains more than 2 MB of text, so it was not read further',
		stopRequested: true,
		conversationId: CONVERSATION,
	});
	expect(JSON.stringify(item!.json).includes('a'.repeat(999_000))).toBe(true);
	expect(sim.requests.map(({ path }) => path)).toContain(`/v1/chat-messages/${TASK}/stop`);
});
