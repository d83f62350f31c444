/** Promises to users. What people see: one mistake has one diagnosis. */
import { failureOf, chatModel, modelList, serverHealth } from './support/node-runner';
import { startScripted } from '../support/servers/scripted-server';
import type { ScriptedServer } from '../support/servers/scripted-server';

interface Page {
	status: number;
	body: string;
	headers: Record<string, string>;
}

const HTML = { 'content-type': 'text/html; charset=utf-8' };
const nodePage = (method: string, path: string) =>
	`<!DOCTYPE html>\n<html lang="en">\n<body>\n<pre>Cannot ${method} ${path}</pre>\n</body>\n</html>\n`;

const MISTAKES: Array<
	[name: string, respond: (method: string, path: string) => Page, title: RegExp]
> = [
	[
		'Dify',
		() => ({
			status: 404,
			body: '{"code":"not_found","message":"The requested URL was not found on the server.","status":404}',
			headers: {
				'content-type': 'application/json',
				'x-version': '1.16.0',
				'x-env': 'PRODUCTION',
			},
		}),
		/^This address is Dify, not a model server/,
	],
	[
		'n8n itself',
		(method, path) => ({ status: 404, body: nodePage(method, path), headers: HTML }),
		/^Another program responds at this address, not a model server/,
	],
	[
		'a web page',
		(method) => ({
			status: method === 'GET' ? 200 : 405,
			body: '<!doctype html><title>Open WebUI</title>',
			headers: HTML,
		}),
		/^The Base URL returns a web page, not the API/,
	],
];

describe.each(MISTAKES)('the address of %s as Base URL', (_name, respond, title) => {
	let server: ScriptedServer;
	beforeAll(async () => {
		server = await startScripted((request, response) => {
			const { status, body, headers } = respond(request.method, request.path);
			response.writeHead(status, { ...headers, connection: 'close' }).end(body);
		});
	});
	afterAll(async () => await server.close());

	test('chats, lists and Server Health give the same diagnosis', async () => {
		const { url } = server;
		const { supplied } = await chatModel(url);
		const chat = await failureOf(supplied.invoke('Hi'));
		const list = await failureOf(modelList(url));
		const [, [health]] = (await serverHealth(url)) as [unknown, [{ json: Health }]];
		const [finding] = health.json.findings;
		expect(chat.message).toMatch(title);
		expect(list.message.replaceAll('\u2011', '-')).toMatch(title);
		expect(finding!.detail).toMatch(title);
		// A LocalLlama credential cannot use an address of Dify.
		for (const text of [chat.message, chat.description, list.message])
			expect(text).not.toMatch(/ending in \/v1|enter the model name/);
	});
});

interface Health {
	findings: Array<{ detail: string }>;
}
