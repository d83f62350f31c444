/** A whole run of n8n's agent, from the question to the last word of the answer. */
import { chatWorkflow } from '../../scripts/lib/scale-workflows.mjs';
import { LANGCHAIN, localChatModel, openAi } from './contest.mjs';
import { startInstantServer } from './instant-server.mjs';
import { median, ratio } from './workflow.mjs';

/** @typedef {import('./workflow.mjs').Part} Part */

const WORDS = [200, 2000];
const MODES = { streamed: 'streaming', 'not streamed': 'lastNode' };
const ROUNDS = 5;
/** Runs of each contestant per round. */
const RUNS = 8;
const OWN = 'Local Chat Model';
const OTHER = "n8n's OpenAI Chat Model";

/**
 * @param {import('./contest.mjs').Environment['n8n']} n8n
 * @param {string} webhookId
 * @param {string} responseMode
 * @param {Record<string, Part>} below
 */
export const publish = async (n8n, webhookId, responseMode, { ai_languageModel: part }) => {
	if (part?.credential === undefined) throw new Error('a model with a credential is needed');
	const { id, name } = await n8n.createCredential(part.credential);
	const { credential, typeVersion = 1, parameters, ...model } = part;
	const workflow = await n8n.createWorkflow(
		chatWorkflow(
			webhookId,
			webhookId,
			{ name: 'Agent', type: `${LANGCHAIN}.agent`, typeVersion: 3, parameters: { options: {} } },
			{
				...model,
				parameters: { ...parameters },
				name: 'Model',
				typeVersion,
				credentials: { [credential.type]: { id, name } },
			},
			responseMode,
		),
	);
	await n8n.activate(workflow.id);
};

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const agent = async ({ n8n, log, rounds: given }) => {
	const rounds = given === 1 ? 1 : ROUNDS;
	const server = await startInstantServer();
	/** @type {Record<string, Record<string, Part>>} */
	const contestants = { [OWN]: localChatModel(server.url, {}), [OTHER]: openAi(server.url, {}) };
	/** @param {string} path @param {number} words @returns {Promise<number>} milliseconds */
	const ask = async (path, words) => {
		const startedAt = performance.now();
		const body = { action: 'sendMessage', sessionId: path, chatInput: `Write ${words} words.` };
		const answer = await (await n8n.webhook(`${path}/chat`, { body })).text();
		if (!answer.includes(`word${words}.`))
			throw new Error(`${path} was not answered: ${answer.slice(0, 500)}`);
		return performance.now() - startedAt;
	};
	/** @type {string[]} */
	const rows = [];
	for (const [mode, responseMode] of Object.entries(MODES)) {
		const paths = Object.fromEntries(
			Object.keys(contestants).map((name, at) => [name, `agent-${responseMode}-${at}`]),
		);
		for (const [name, path] of Object.entries(paths)) {
			await publish(n8n, path, responseMode, contestants[name] ?? {});
			for (let run = 0; run < RUNS; run += 1) await ask(path, WORDS[0] ?? 0);
		}
		for (const words of WORDS) {
			await log.step(`agent, ${words} words, ${mode}`, async (progress) => {
				/** @type {Record<string, number[]>} medians of the rounds */
				const found = { [OWN]: [], [OTHER]: [] };
				for (let round = 0; round < rounds; round += 1) {
					/** @type {Record<string, number[]>} */
					const runs = { [OWN]: [], [OTHER]: [] };
					// In turn, so that a change of the machine's speed affects both alike.
					for (let run = 0; run < RUNS; run += 1) {
						for (const [name, path] of Object.entries(paths))
							runs[name]?.push(await ask(path, words));
					}
					for (const [name, all] of Object.entries(runs)) found[name]?.push(median(all));
				}
				const [own = [], other = []] = [found[OWN], found[OTHER]];
				const against = median(own.map((ms, round) => ms / (other[round] ?? NaN)));
				rows.push(
					`| ${words} | ${mode} | ${median(own).toFixed(0)} | ${median(other).toFixed(0)} | ${ratio(against)} |`,
				);
				progress.note(ratio(against));
			});
		}
	}
	server.stop();
	return [
		'## A whole run of the agent',
		'',
		`Milliseconds from the question to the end of the answer, over n8n's chat webhook: Chat Trigger, AI Agent, one model. The server answers at once and sends a word a piece, so the table shows what n8n and the models cost. ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${RUNS} runs of each, in turn: medians, and the median of the ratios of each round.`,
		'',
		`| words | | ${OWN}, ms | ${OTHER}, ms | ratio |`,
		'|---|---|---|---|---|',
		...rows,
	];
};
