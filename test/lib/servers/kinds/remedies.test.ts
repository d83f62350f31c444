/** Remedies are of the server that was asked. */
import { failure } from '../../../../lib/errors/failure';
import type { FailureKind } from '../../../../lib/errors/kinds';
import { clearSharedCaches } from '../../../../lib/lru-cache';
import { connectTo } from '../../../../lib/servers/connect';
import { askServerKind } from '../../../../lib/servers/identify';
import { json, type ScriptedServer, startScripted } from '../../../servers/scripted';

let server: ScriptedServer;
beforeEach(clearSharedCaches);
afterEach(async () => await server.close());

const LLAMA_OPTIONS = /llama-server|--jinja|--ctx-size|--mmproj|--api-prefix/;
const FAILURES: FailureKind[] = [
	'wrongPath',
	'contextOverflow',
	'templateRejected',
	'toolsUnsupported',
	'modalityUnsupported',
	'outputUnreadable',
	'modelFailedToLoad',
];

async function remedies(owner: string, headers: Record<string, string> = {}) {
	server = await startScripted(({ path }, response) => {
		for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
		if (path === '/v1/models') json(response, { data: [{ id: 'm', owned_by: owner }] });
		else json(response, { version: '0.33.0' });
	});
	const connection = connectTo({ baseUrl: server.url });
	const kind = await askServerKind(connection, 'm');
	const context = connection.contextOf(`${connection.url.api}/chat/completions`, { model: 'm' });
	return { kind, texts: FAILURES.map((one) => failure(one, context).remedy) };
}

it.each([
	['ollama', 'library', {}],
	['vllm', 'vllm', {}],
	['newApi', 'custom', { 'x-oneapi-request-id': '2026' }],
	['portkey', 'llamacpp', { 'x-portkey-provider': 'openai', server: 'llama.cpp' }],
])('%s: no option of llama-server', async (kind, owner, headers) => {
	const known = await remedies(owner, headers);
	expect(known.kind).toBe(kind);
	expect(known.texts.filter((text) => LLAMA_OPTIONS.test(text))).toEqual([]);
});

it.each([
	['llamaServer', 'llamacpp'],
	['other', 'somebody'],
])('%s: its options, or those that it may have', async (kind, owner) => {
	const known = await remedies(owner);
	expect(known.kind).toBe(kind);
	expect(known.texts.filter((text) => LLAMA_OPTIONS.test(text)).length).toBeGreaterThan(4);
});
