/** What is known of a server when a request to it has failed: each fact, for servers of each kind. */
import { getServerFacts } from '../../../lib/servers/server-facts';
import { createServerError } from '../../../lib/errors/create-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import { LLAMA_SERVER } from '../../guarantees/support/responses';
import { expectApproved } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Routes } from '../../support/servers/scripted-server';
import path from 'node:path';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useServers();

const SERVERS: Readonly<Record<string, Routes>> = {
	'llama-server': LLAMA_SERVER,
	LiteLLM: {
		'GET /v1/models': (request, response) =>
			json({ data: [{ id: 'sim-model' }] }, 200, { 'x-litellm-version': '1' })(request, response),
	},
	'an unknown server': { 'GET /v1/models': json({ data: [{ id: 'sim-model' }] }) },
	'no list': {},
};

test('each fact', async () => {
	const cases = combine({
		name: Object.keys(SERVERS),
		isServerText: [true, false],
		model: ['sim-model', 'other'],
	});
	const rows = [];
	for (const { name, isServerText, model } of cases) {
		const server = await start(SERVERS[name]!);
		const target = createModelServer({ baseUrl: server.url, apiKey: 'key' }, NO_EXECUTION);
		const error = createServerError('serverError', {} as never, {
			sentence: isServerText ? 'x' : undefined,
			status: 500,
		});
		const facts: string[] = [];
		for (const [fact, find] of Object.entries(getServerFacts(error, target, { model }))) {
			const value = (await (find as () => unknown)()) as { type?: string } | undefined;
			facts.push(`${fact} ${value?.type ?? JSON.stringify(value)}`);
		}
		rows.push({ input: `${name}, ${model}, its words ${isServerText}`, outcome: facts.join('; ') });
	}
	expectApproved(
		path.join(__dirname, 'server-facts.approved.txt'),
		rows,
		'A fact is stated only if the server showed it',
	);
});
