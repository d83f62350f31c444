/** How many tokens the server reads again with several ways to shorten an agent's history, or none. */
import { join } from 'node:path';
import { startLlamaServer } from '../../scripts/lib/llama-server.mjs';
import { writeScriptedModel } from '../../scripts/lib/tiny-model.mjs';
import { ratio, tokensOf } from './workflow.mjs';
import { contest, LANGCHAIN, localChatModel, MODEL, openAi } from './contest.mjs';

/** @typedef {import('./contest.mjs').Contestant} Contestant */

const ROUNDS_OF_CHAT = 60;
const CACHE_REUSE = 128;
/** Rounds that the memory keeps: n8n's default, and for a longer conversation. */
const WINDOW = 5;
const LONG_WINDOW = 20;
/** About as many tokens as the longer one has. */
const HISTORY_BUDGET = 4500;
/** A token of the generated model is a byte. */
const SYSTEM_TOKENS = 400;
const QUESTION_TOKENS = 200;
const CONTEXT = 32_768;

/** @param {string} text @param {number} length */
const filled = (text, length) => text.padEnd(length, 'The pump is checked each spring. ');

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const memory = async (environment) => {
	const texts = Array.from({ length: ROUNDS_OF_CHAT }, (_, at) =>
		filled(`Question ${at + 1}, of day ${(at * 37) % 100}: `, QUESTION_TOKENS),
	);
	const file = join(environment.folder, 'memory.gguf');
	const reply = 'All is well with the pump, and nothing needs to be done before the next spring.';
	writeScriptedModel(file, [{ reply }], { contextLength: CONTEXT, readsAsWritten: true });
	/** @param {Contestant['below']} below @param {string} session @param {number} [rounds] that n8n remembers @returns {Contestant} */
	const agent = (below, session, rounds = WINDOW) => ({
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
				parameters: {
					sessionIdType: 'customKey',
					sessionKey: session,
					contextWindowLength: rounds,
				},
			},
		},
	});
	const own = `Local Chat Model, History Budget ${HISTORY_BUDGET}`;
	/** @type {Record<string, (url: string) => Contestant>} */
	const contestants = {
		[own]: (url) =>
			agent(localChatModel(url, { historyBudget: HISTORY_BUDGET }), 'budget', ROUNDS_OF_CHAT),
		[`Local Chat Model, memory of ${WINDOW} rounds, Cache Reuse ${CACHE_REUSE}`]: (url) =>
			agent(localChatModel(url, {}, { cacheReuse: CACHE_REUSE }), 'reuse'),
		[`Local Chat Model, memory of ${WINDOW} rounds`]: (url) =>
			agent(localChatModel(url, {}), 'window'),
		[`Local Chat Model, memory of ${LONG_WINDOW} rounds`]: (url) =>
			agent(localChatModel(url, {}), 'longWindow', LONG_WINDOW),
		[`n8n's OpenAI Chat Model, memory of ${WINDOW} rounds`]: (url) =>
			agent(openAi(url, {}), 'openai'),
		'Local Chat Model, neither: the whole history': (url) =>
			agent(localChatModel(url, {}), 'whole', ROUNDS_OF_CHAT),
	};
	/** @type {Record<string, import('./contest.mjs').Cost>} */
	const results = {};
	/** @type {Record<string, number>} tokens of the longest prompt with its answer */
	const longest = {};
	for (const [name, contestant] of Object.entries(contestants)) {
		// One server per contestant: llama-server caches old prompts in host memory across requests.
		const server = await startLlamaServer(environment.binary, {
			model: file,
			alias: MODEL,
			contextSize: CONTEXT,
			parallel: 1,
			threads: 1,
			args: ['--metrics'],
		});
		const options = { url: server.url };
		// One round only: n8n's memory would remember an earlier one.
		const alone = { ...environment, rounds: 1 };
		Object.assign(
			results,
			await contest(alone, 'memory', texts, { [name]: contestant(server.url) }, options),
		);
		longest[name] = (await tokensOf(server.url)).longest;
		await server.stop();
	}
	const mine = results[own];
	return [
		'## Agent with memory',
		'',
		`${ROUNDS_OF_CHAT} rounds with n8n's agent and its Simple Memory, one slot, a server of its own for each. A memory of ${WINDOW} rounds (as added) or of ${LONG_WINDOW} drops the oldest one in each round once it is full, so all that follows the system message moves. With History Budget, the memory keeps all rounds, and the node leaves out whole turns in steps. System message ${SYSTEM_TOKENS} tokens, each question ${QUESTION_TOKENS}; the model is scripted, each answer one token. Tokens by the server's own count (\`/metrics\`), to which time does not matter: one round.`,
		'',
		'| | prompt tokens read | against History Budget | longest prompt, tokens | time, s |',
		'|---|---|---|---|---|',
		...Object.entries(results).map(
			([name, { read, seconds }]) =>
				`| ${name} | ${read} | ${ratio(read / (mine?.read ?? NaN))} | ${longest[name]} | ${seconds.toFixed(1)} |`,
		),
	];
};
