/** An agent whose memory drops the oldest messages: what the server has to read again. */
import { join } from 'node:path';
import { startLlamaServer } from '../../scripts/lib/llama-server.mjs';
import { writeScriptedModel } from '../../scripts/lib/tiny-model.mjs';
import { ratio } from './workflow.mjs';
import { contest, LANGCHAIN, localChatModel, MODEL, openAi } from './contest.mjs';

/** @typedef {import('./contest.mjs').Contestant} Contestant */

const ROUNDS_OF_CHAT = 30;
const CACHE_REUSE = 128;
/** A token of the generated model is a byte. */
const SYSTEM_TOKENS = 400;
const QUESTION_TOKENS = 200;

/** @param {string} text @param {number} length */
const filled = (text, length) => text.padEnd(length, 'The pump is checked each spring. ');

/** @param {import('./contest.mjs').Place} place @returns {Promise<string[]>} */
export const memory = async (place) => {
	const texts = Array.from({ length: ROUNDS_OF_CHAT }, (_, at) =>
		filled(`Question ${at + 1}, of day ${(at * 37) % 100}: `, QUESTION_TOKENS),
	);
	const file = join(place.folder, 'memory.gguf');
	const reply = 'All is well with the pump, and nothing needs to be done before the next spring.';
	writeScriptedModel(file, [{ reply }], { contextLength: 8192, readsAsWritten: true });
	/** @param {Contestant['below']} below @param {string} session @returns {Contestant} */
	const agent = (below, session) => ({
		work: {
			type: `${LANGCHAIN}.agent`,
			typeVersion: 3,
			parameters: {
				promptType: 'define',
				text: '={{ $json.text }}',
				options: { systemMessage: filled('You look after a garden. ', SYSTEM_TOKENS) },
			},
		},
		below: {
			...below,
			ai_memory: {
				type: `${LANGCHAIN}.memoryBufferWindow`,
				typeVersion: 1.3,
				parameters: { sessionIdType: 'customKey', sessionKey: session, contextWindowLength: 5 },
			},
		},
	});
	const own = `Local Chat Model, Cache Reuse ${CACHE_REUSE}`;
	/** @type {Record<string, (url: string) => Contestant>} */
	const contestants = {
		[own]: (url) => agent(localChatModel(url, { cacheReuse: CACHE_REUSE }), 'on'),
		'Local Chat Model without it': (url) => agent(localChatModel(url, {}), 'off'),
		"n8n's OpenAI Chat Model": (url) => agent(openAi(url, {}), 'openai'),
	};
	/** @type {Record<string, import('./contest.mjs').Cost>} */
	const results = {};
	for (const [name, contestant] of Object.entries(contestants)) {
		// A server of its own for each: llama-server keeps old prompts in the memory of the host, also those of others.
		const server = await startLlamaServer(place.binary, {
			model: file,
			alias: MODEL,
			contextSize: 8192,
			parallel: 1,
			threads: 1,
			args: ['--metrics'],
		});
		const options = { url: server.url };
		// n8n's memory would remember an earlier round.
		const alone = { ...place, rounds: 1 };
		Object.assign(results, await contest(alone, 'memory', texts, { [name]: contestant(server.url) }, options));
		await server.stop();
	}
	const mine = results[own];
	return [
		'## Agent with memory',
		'',
		`${ROUNDS_OF_CHAT} rounds with n8n's agent and its Simple Memory of 5 rounds (as added), one slot, a server of its own for each. From round 7 on the memory drops the oldest round, so all that follows the system message moves. System message ${SYSTEM_TOKENS} tokens, each question ${QUESTION_TOKENS}; the model is scripted, each answer one token. Tokens by the server's own count (\`/metrics\`), to which time does not matter: one round.`,
		'',
		'| | prompt tokens read | Cache Reuse against it | time, s |',
		'|---|---|---|---|',
		...Object.entries(results).map(
			([name, { read, seconds }]) =>
				`| ${name} | ${read} | ${ratio((mine?.read ?? NaN) / read)} | ${seconds.toFixed(1)} |`,
		),
	];
};
