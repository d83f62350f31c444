/**
 * `npm run bench -- decisions`: the same fifty mails by a decision model in one request each, and by the letters of an
 * ordinary model: accuracy, calibration, milliseconds, tokens. Both are SmolLM2 on real llama-servers. Writes
 * bench/results/decisions.md. Options: bench/lib/programs.mjs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeDecisionModel } from '../scripts/lib/decision-model.mjs';
import { startLlamaServer } from '../scripts/lib/llama-server.mjs';
import { ensureLlamaWheel, WHEEL_SOURCE } from '../scripts/lib/llama-wheel.mjs';
import { createLog } from '../scripts/lib/log.mjs';
import { main } from '../scripts/lib/main.mjs';
import { ensureSmolLm2 } from '../scripts/lib/model.mjs';
import { root } from '../scripts/lib/paths.mjs';
import { DEPARTMENTS, MAILS } from './decisions/mails.mjs';
import { machine, nodeVersion } from './lib/machine.mjs';
import { partsOf } from './lib/parts.mjs';

/** @typedef {{ isRight: boolean, probability: number | undefined, milliseconds: number, tokens: number }} Answer */

const { values: options } = parseArgs({
	options: { quick: { type: 'boolean', default: false } },
});
const mails = options.quick ? MAILS.filter((_mail, at) => at % 10 === 0) : MAILS;
const BINS = 10;
const QUESTION = {
	name: 'route',
	kind: 'choice',
	text: 'Who should answer this mail?',
	options: Object.entries(DEPARTMENTS).map(([name, description]) => ({ name, description })),
};
const log = createLog();

await main(async () => {
	const parts = await partsOf(root, [
		'servers/connect',
		'text/decide/answers',
		'text/decide/decide',
	]);
	const binary = await log.step('llama-server', ensureLlamaWheel);
	const ordinary = await ensureSmolLm2(log);
	const folder = mkdtempSync(join(tmpdir(), 'local-llama-bench-'));
	try {
		const deciding = join(folder, 'decisions.gguf');
		writeDecisionModel(ordinary, deciding);
		const lines = [];
		for (const [way, model] of [
			['decision model', deciding],
			['letters', ordinary],
		]) {
			const answers = await answersOf(parts, binary, String(model));
			lines.push(lineOf(String(way), answers));
			log.line(`  ${lines.at(-1)}`);
		}
		const page = await pageOf(lines);
		if (!options.quick) writeFileSync(join(root, 'bench', 'results', 'decisions.md'), page);
		log.line(page);
		return 0;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

/**
 * @param {Record<string, any>} parts
 * @param {string} binary
 * @param {string} model
 * @returns {Promise<Answer[]>}
 */
async function answersOf(parts, binary, model) {
	const server = await startLlamaServer(binary, {
		model,
		alias: 'smollm2',
		contextSize: 2048,
		parallel: 1,
		threads: 1,
	});
	try {
		const connection = parts.connectTo({ baseUrl: server.url });
		const settings = {
			model: 'smollm2',
			parameters: { temperature: 0 },
			limits: {},
			retries: 0,
		};
		const answers = [];
		for (const { text, known } of mails) {
			const from = performance.now();
			const task = { input: { text, media: [] }, questions: [QUESTION] };
			const { decisions, usage } = await parts.decide(connection, settings, task);
			const { answer, probability } = parts.answerTo(QUESTION, decisions[0], 0);
			answers.push({
				isRight: answer === known,
				probability,
				milliseconds: performance.now() - from,
				tokens: usage?.totalTokens ?? 0,
			});
		}
		return answers;
	} finally {
		await server.stop();
	}
}

/**
 * @param {string} way
 * @param {Answer[]} answers
 */
function lineOf(way, answers) {
	const right = answers.filter(({ isRight }) => isRight).length;
	const middle = answers.map(({ milliseconds }) => milliseconds).sort((one, two) => one - two);
	const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0) / answers.length;
	const likely = answers.filter(({ probability }) => probability !== undefined);
	return [
		'',
		way,
		`${right} of ${answers.length}`,
		likely.length,
		likely.length === 0 ? 'none' : calibrationError(likely).toFixed(2),
		Math.round(middle[Math.floor(middle.length / 2)] ?? NaN),
		tokens.toFixed(0),
		'',
	]
		.join(' | ')
		.trim();
}

/**
 * How far the probabilities are from the share of right answers, over ten equal ranges.
 *
 * @param {Answer[]} answers
 */
function calibrationError(answers) {
	const ranges = Array.from({ length: BINS }, (_, range) =>
		answers.filter(
			({ probability = 0 }) => Math.min(BINS - 1, Math.floor(probability * BINS)) === range,
		),
	);
	return ranges.reduce((error, range) => {
		const right = range.filter(({ isRight }) => isRight).length;
		const expected = range.reduce((sum, { probability = 0 }) => sum + probability, 0);
		return error + Math.abs(right - expected) / answers.length;
	}, 0);
}

/** @param {string[]} lines */
async function pageOf(lines) {
	return [
		'# Benchmark of decisions',
		'',
		`Written by \`npm run bench -- decisions\`. Text: Decide with one choice of three departments for each of ${mails.length} mails, one after the other, on real llama-servers (${WHEEL_SOURCE}, one thread). Both ways read the same weights, SmolLM2-135M: as a decision model of the type \`openjev\`, and as an ordinary model by letters and log probabilities. Nobody trained it for decisions, so look at the cost, and at what stands behind a probability; not at its wisdom. The two ways ran one after the other on a busy machine, so the times swing.`,
		'',
		'| way | right | with a probability | calibration error | milliseconds, median | tokens of one mail |',
		'|---|---|---|---|---|---|',
		...lines,
		'',
		`${machine()}, Node ${await nodeVersion()}.`,
		'',
	].join('\n');
}
