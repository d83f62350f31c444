/**
 * Real llama-servers that see, by a projector with random weights: what they say of a picture means nothing, all else is
 * real. The compiled one makes vectors of texts only, so pictures become vectors, and are decided about, on the newer one.
 */
import type { INodeExecutionData, NodeOperationError } from 'n8n-workflow';

import { listModels } from '../../lib/servers/model-list';
import { LocalLlama } from '../../nodes/LocalLlama/LocalLlama.node';
import { describeWith } from '../support/describe-with';
import { executeContext } from '../support/execute-context';
import { fs, path } from '../support/node';
import { loadScript } from '../support/scripts';
import { connection, parts, startRouter, stopServers, workFolder } from './support/servers';

interface ProjectorScript {
	PICTURE_TOKENS: number;
	writePictureProjector(file: string, options: { modelWidth: number }): void;
}
type Json = Record<string, unknown>;
type File = readonly [mimeType: string, file: string];

const SMOLLM2_WIDTH = 576;
const INVOICE: File = ['image/jpeg', 'test/fixtures/pictures/invoice.jpg'];
const ANOTHER: File = ['image/png', 'docs/images/report.png'];
/** The beginning of a film and of a song. */
const MP4 = Buffer.from('\0\0\0\x20ftypisom').toString('base64');
const WAV = Buffer.from('RIFF\x24\0\0\0WAVEfmt ').toString('base64');

const itemWith = (...files: File[]): INodeExecutionData => ({
	json: {},
	binary: Object.fromEntries(
		files.map(([mimeType, file], at) => [
			`file${at}`,
			{ mimeType, data: fs.readFileSync(file).toString('base64') },
		]),
	),
});
const itemOf = (mimeType: string, data: string): INodeExecutionData => ({
	json: {},
	binary: { file0: { mimeType, data } },
});

/** Runs Local Llama on these items, whose files belong to the text. */
async function run(
	url: string,
	parameters: Json & { operation: string; model: string },
	...items: INodeExecutionData[]
): Promise<Json[]> {
	const { context } = executeContext({
		type: 'n8n-nodes-local-llama.localLlama',
		credentials: { baseUrl: url },
		items,
		perItem: items.map(({ binary }) => ({ binaryFields: Object.keys(binary ?? {}) })),
		parameters: {
			resource: parameters.operation === 'embed' ? 'vector' : 'text',
			text: '',
			...parameters,
			model: { __rl: true, mode: 'id', value: parameters.model },
		},
	});
	const [results] = await new LocalLlama().execute.call(context);
	return results!.map(({ json }) => json);
}

const failureOf = async (running: Promise<unknown>): Promise<NodeOperationError> =>
	await running.then(
		(value) => {
			throw new Error(`no failure: ${JSON.stringify(value)}`);
		},
		(error: unknown) => error as NodeOperationError,
	);

const sumOf = (probabilities: unknown): number =>
	Object.values(probabilities as Record<string, number>).reduce((sum, value) => sum + value, 0);

const { llamaServerProblem, smolLm2, smolLm2Problem } = parts();

describeWith(llamaServerProblem ?? smolLm2Problem, 'SmolLM2 with eyes on a router', () => {
	let url: string;
	let pictureTokens: number;
	beforeAll(async () => {
		const projector = await loadScript<ProjectorScript>('picture-projector');
		const mmproj = path.join(workFolder('pictures'), 'projector.gguf');
		projector.writePictureProjector(mmproj, { modelWidth: SMOLLM2_WIDTH });
		pictureTokens = projector.PICTURE_TOKENS;
		const settings = { model: smolLm2!, 'ctx-size': 4096, parallel: 1, threads: 1 };
		url = await startRouter({
			sees: { mmproj, ...settings },
			blind: settings,
		});
	});
	afterAll(stopServers);

	it('the list says which models see', async () => {
		const models = await listModels(connection(url));
		expect(models.map(({ id, vision, audio }) => [id, vision, audio])).toEqual([
			['blind', false, false],
			['sees', true, false],
			['vectors', true, false],
		]);
	});

	it('each picture of a chat counts its tokens', async () => {
		const ask = {
			operation: 'chat',
			model: 'sees',
			prompt: 'What is it?',
			options: { maxTokens: 8 },
		};
		const tokensWith = async (...files: File[]): Promise<number> => {
			const [answer] = await run(url, ask, itemWith(...files));
			expect(answer!.text).not.toBe('');
			return (answer!.usage as { promptTokens: number }).promptTokens;
		};
		const none = await tokensWith();
		const one = (await tokensWith(INVOICE)) - none;
		expect(one).toBeGreaterThan(pictureTokens);
		expect((await tokensWith(INVOICE, ANOTHER)) - none).toBeGreaterThanOrEqual(2 * one - 1);
	});

	it('a scanned invoice becomes a row with the fields of the form', async () => {
		const field = [
			{ name: 'number', type: 'text', required: true },
			{ name: 'total', type: 'number', required: true },
			{ name: 'currency', type: 'choice', choices: 'EUR, USD', required: true },
			{ name: 'paid', type: 'boolean', required: true },
		];
		const extract = { operation: 'extract', model: 'sees', fields: { field } };
		const [row] = await run(url, extract, itemWith(INVOICE));
		expect(row!.output).toEqual({
			number: expect.any(String) as string,
			total: expect.any(Number) as number,
			currency: expect.stringMatching(/^(?:EUR|USD)$/) as string,
			paid: expect.any(Boolean) as boolean,
		});
	});

	it('a picture is classified, with the probability of each label', async () => {
		const labels = { label: [{ name: 'invoice' }, { name: 'photo' }] };
		const classify = { operation: 'classify', model: 'sees', labels };
		const [item] = await run(url, classify, itemWith(INVOICE));
		expect(sumOf(item!.scores)).toBeCloseTo(1, 3);
	});

	it.each([
		['blind', itemWith(INVOICE), 'The server cannot read image input'],
		['blind', itemOf('video/mp4', MP4), 'The model "blind" takes no video'],
		['sees', itemOf('audio/wav', WAV), 'The server cannot read audio input'],
	])('what the model "%s" cannot read is told (%#)', async (model, item, message) => {
		const ask = { operation: 'chat', model, prompt: 'What is it?' };
		expect((await failureOf(run(url, ask, item))).message).toBe(message);
	});
});
