/** A server that answers every chat at once, so that only the cost of the nodes is measured. Runs in its own process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const TEXT = 'This is a short answer of a model that needs no time.';
const USAGE = { prompt_tokens: 12, completion_tokens: 12, total_tokens: 24 };

const serve = () => {
	/** @param {object} choice */
	const event = (choice) =>
		`data: ${JSON.stringify({ id: 'c', model: 'bench-model', choices: [{ index: 0, ...choice }] })}\n\n`;
	const end = `data: ${JSON.stringify({ id: 'c', model: 'bench-model', choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`;
	/** @param {string} text */
	const answerOf = (text) => {
		const pieces = text
			.split(/(?<= )/)
			.map((content) => event({ delta: { content }, finish_reason: null }));
		const message = { role: 'assistant', content: text };
		return {
			stream: [...pieces, event({ delta: {}, finish_reason: 'stop' }), end].join(''),
			whole: JSON.stringify({
				id: 'c',
				model: 'bench-model',
				choices: [{ index: 0, message, finish_reason: 'stop' }],
				usage: USAGE,
			}),
		};
	};
	/** @type {Map<string, ReturnType<typeof answerOf>>} by the number of words that was asked for */
	const answers = new Map([['', answerOf(TEXT)]]);
	/** @param {string} asked */
	const answerTo = (asked) => {
		const [, words = ''] = /Write (\d+) words/.exec(asked) ?? [];
		const made = Array.from({ length: Number(words) }, (_, at) => `word${at + 1}`).join(' ');
		const answer = answers.get(words) ?? answerOf(`${made}.`);
		answers.set(words, answer);
		return answer;
	};
	const server = createServer((incoming, outgoing) => {
		/** @type {Buffer[]} */
		const body = [];
		incoming.on('data', (piece) => body.push(piece));
		incoming.on('end', () => {
			const isChat = incoming.url?.endsWith('/chat/completions') === true;
			const asked = String(Buffer.concat(body));
			const streams = isChat && /"stream":\s*true/.test(asked);
			const { stream, whole } = answerTo(asked);
			outgoing.writeHead(isChat ? 200 : 404, {
				'content-type': streams ? 'text/event-stream' : 'application/json',
			});
			outgoing.end(isChat ? (streams ? stream : whole) : '{"error":{"message":"not here"}}');
		});
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
