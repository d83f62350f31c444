import { searchVoices } from '../../../../nodes/shared/fields/voice-selection';
import { searchModels } from '../../../../nodes/shared/fields/model-selection';
import { sendJson, startScripted } from '../../../support/servers/scripted-server';
import { useSimulator } from '../../../simulators/use-simulator';
import { editorContext } from '../../../support/n8n/editor-context';

const startServer = useSimulator(startScripted);

const VOICES = { voices: [{ id: 'af_heart' }, { id: 'am_adam' }, { id: '={{ 1 }}' }] };

const serve = async () =>
	await startServer(({ path }, response) =>
		path === '/v1/audio/voices'
			? sendJson(response, VOICES)
			: sendJson(
					response,
					{ error: { message: 'Unauthorized' } },
					path === '/v1/models' ? 401 : 404,
				),
	);

test.each([
	[undefined, ['af_heart', 'am_adam']],
	[' ADAM', ['am_adam']],
	['x', []],
])('voices that contain %j, without expressions', async (filter, ids) => {
	const { url } = await serve();
	const { results } = await searchVoices.call(editorContext({ baseUrl: url }), filter);
	expect(results.map(({ value }) => value)).toEqual(ids);
});

/** As n8n returns it if an expression in Extra Headers failed. */
const withoutHeaders = (baseUrl: string) => ({
	baseUrl,
	apiKey: '',
	authentication: 'bearer',
	ignoreSslIssues: false,
	maxConcurrentRequests: 0,
	serverType: 'auto',
});

test('lists work without Extra Headers that need the workflow, and an error says that', async () => {
	const { url } = await serve();
	const context = editorContext(withoutHeaders(url));
	expect((await searchVoices.call(context)).results).toHaveLength(2);
	const error = await searchModels.call(context).catch((reason: Error) => reason);
	expect((error as Error).message).toContain('without Extra Headers');
	const complete = editorContext({ ...withoutHeaders(url), extraHeaders: {} });
	const other = await searchModels.call(complete).catch((reason: Error) => reason);
	expect((other as Error).message).not.toContain('without Extra Headers');
});

/** As n8n returns expressions without a value in a list: `$execution.id`, a variable that is missing, `$prevNode.name`. */
test.each<{ headers: Array<{ name?: string; value?: string | null }> }>([
	{ headers: [{ name: 'X-Run' }] },
	{
		headers: [{ name: 'X-Run' }, { name: 'X-Fixed', value: 'a' }],
	},
	{ headers: [{ name: 'X-Fixed', value: 'a' }, { value: 'b' }] },
	{
		headers: [
			{ name: 'X-Fixed', value: 'a' },
			{ name: 'X-Run', value: null },
		],
	},
])('a list sends no header without a value, and says what it left out: $headers', async (row) => {
	const { url, requests } = await serve();
	const context = editorContext({
		...withoutHeaders(url),
		extraHeaders: { header: row.headers },
	} as unknown as Parameters<typeof editorContext>[0]);
	expect((await searchVoices.call(context)).results).toHaveLength(2);
	const error = await searchModels.call(context).catch((reason: Error) => reason);
	expect((error as Error).message).toContain('without Extra Headers');
	const names = requests.flatMap(({ headers }) => Object.keys(headers));
	expect(names).not.toContain('x-run');
	const hasFixed = row.headers.some(({ value }) => value === 'a');
	expect(names.includes('x-fixed')).toBe(hasFixed);
});

test('no header is blamed where nothing listens', async () => {
	const context = editorContext(withoutHeaders('http://127.0.0.1:9'));
	const error = await searchModels.call(context).catch((reason: Error) => reason);
	expect((error as Error).message).not.toContain('Extra Headers');
});
