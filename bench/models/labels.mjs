/** Classifying, with a real model. */
import { startLlamaServer } from '../../scripts/lib/llama-server.mjs';
import { ensureSmolLm2 } from '../../scripts/lib/model.mjs';
import { ratio } from './workflow.mjs';
import { contest, LANGCHAIN, localLlama, MODEL, openAi, SLOTS } from './contest.mjs';

/** @typedef {import('./contest.mjs').Contestant} Contestant */
/** @typedef {import('./workflow.mjs').Part} Part */

const KINDS = {
	invoice: [
		'Somebody wants to be paid',
		'Please find attached invoice %. Payment of the total is due within 14 days.',
	],
	complaint: [
		'A customer is not content',
		'I am very angry. Order % arrived broken and nobody answers my calls!',
	],
	order: [
		'Somebody wants to buy',
		'We would like to buy % boxes of your blue paint. Please confirm the order.',
	],
	appointment: [
		'A date is to be found',
		'Could we meet on the %th of next month at ten to talk about the plans?',
	],
	application: [
		'Somebody looks for a job',
		'I would like to apply for the job as a driver, advertisement %. My CV is attached.',
	],
};

/** @param {import('./contest.mjs').Environment} environment @returns {Promise<string[]>} */
export const labels = async (environment) => {
	const server = await startLlamaServer(environment.binary, {
		model: await ensureSmolLm2(environment.log),
		alias: MODEL,
		contextSize: 8192,
		parallel: SLOTS,
		threads: 1,
		args: ['--metrics'],
	});
	const kinds = Object.entries(KINDS);
	const texts = Array.from({ length: 200 / environment.share }, (_, at) => {
		const [, sample = ''] = kinds[at % kinds.length]?.[1] ?? [];
		return sample.replace('%', String(at + 1));
	});
	const categories = kinds.map(([category, [description]]) => ({ category, description }));
	const own = 'Local Llama, Classify';
	/** @param {Record<string, Part>} below @returns {Contestant} */
	const classifier = (below) => ({
		work: {
			type: `${LANGCHAIN}.textClassifier`,
			typeVersion: 1.1,
			parameters: { inputText: '={{ $json.text }}', categories: { categories }, options: {} },
			onError: 'continueRegularOutput',
		},
		below,
	});
	const results = await contest(
		{ ...environment, rounds: 1 },
		'labels',
		texts,
		{
			[own]: {
				work: localLlama(server.url, {
					operation: 'classify',
					text: '={{ $json.text }}',
					labels: {
						label: categories.map(({ category, description }) => ({ name: category, description })),
					},
				}),
			},
			"Text Classifier with n8n's OpenAI Chat Model": classifier(
				openAi(server.url, { temperature: 0, maxTokens: 64 }),
			),
		},
		{
			url: server.url,
			// The classifier passes the items on, failures as items with an error, and drops items without a label.
			rightOf: (found) =>
				found.filter(({ label, text }) => label !== undefined || text !== undefined).length,
		},
	);
	await server.stop();
	const mine = results[own];
	return [
		'## Classifying',
		'',
		`${texts.length} texts of a sentence or two into ${kinds.length} labels with descriptions, SmolLM2-135M on one thread, ${SLOTS} slots, one round. Both nodes as added (4 and 5 items at once), temperature 0; the Text Classifier's model may write 64 tokens, and the node goes on after an answer that it cannot read; so small a model seldom writes the JSON that the node asks for. Whether a label is right is not measured. Tokens by the server's own count (\`/metrics\`).`,
		'',
		'| | time, s | against Local Llama | tokens generated | against Local Llama | prompt tokens read | items with a label |',
		'|---|---|---|---|---|---|---|',
		...Object.entries(results).map(
			([name, { seconds, written, read, right }]) =>
				`| ${name} | ${seconds.toFixed(1)} | ${ratio(seconds / (mine?.seconds ?? NaN))} | ${written} | ${ratio(written / (mine?.written ?? NaN))} | ${read} | ${right} |`,
		),
	];
};
