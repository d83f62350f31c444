/** A server that answers every chat at once, so that only the cost of the nodes is measured. Runs in its own process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const WORDS = 'This is a short answer that a model generates without delay.'.split(/(?<= )/);
const USAGE = { prompt_tokens: 12, completion_tokens: 12, total_tokens: 24 };

/** @param {object} rest */
const answerWith = (rest) => JSON.stringify({ id: 'c', model: 'bench-model', ...rest });
/** @param {object} choice */
const event = (choice) => `data: ${answerWith({ choices: [{ index: 0, ...choice }] })}\n\n`;

const STREAM = [
	...WORDS.map((content) => event({ delta: { content }, finish_reason: null })),
	event({ delta: {}, finish_reason: 'stop' }),
	`data: ${answerWith({ choices: [], usage: USAGE })}\n\n`,
	'data: [DONE]\n\n',
].join('');
const WHOLE = answerWith({
	choices: [
		{
			index: 0,
			message: { role: 'assistant', content: WORDS.join('') },
			finish_reason: 'stop',
		},
	],
	usage: USAGE,
});

const serve = () => {
	const server = createServer(async (incoming, outgoing) => {
		const body = await text(incoming);
		if (incoming.url?.endsWith('/chat/completions') !== true) {
			outgoing.writeHead(404, { 'content-type': 'application/json' });
			outgoing.end('{"error":{"message":"not here"}}');
			return;
		}
		const streams = /"stream":\s*true/.test(body);
		outgoing.writeHead(200, { 'content-type': streams ? 'text/event-stream' : 'application/json' });
		outgoing.end(streams ? STREAM : WHOLE);
	});
	server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
};

/** @returns {Promise<{ url: string, stop: () => void }>} */
export const startInstantServer = async () => {
	const child = fork(fileURLToPath(import.meta.url), ['serve']);
	const [{ port }] = await once(child, 'message');
	return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill() };
};

if (process.argv[2] === 'serve') serve();
