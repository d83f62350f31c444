import { forgetAll } from '../../../lib/remembered';
import { connectTo } from '../../../lib/servers/connect';
import { askServerKind } from '../../../lib/servers/identify';
import { listModels } from '../../../lib/servers/model-list';
import { json, type ScriptedServer, startScripted } from '../../servers/scripted';
import { httpFixture } from '../../support/streams';

const recorded = (name: string) => JSON.parse(httpFixture(`infinity-0.0.78/${name}.http`).body.toString()) as unknown;
let server: ScriptedServer;
beforeEach(async () => {
	forgetAll();
	server = await startScripted(({ path }, response) =>
		path === '/models'
			? json(response, recorded('models-at-root-without-v1'))
			: json(response, { detail: 'Not Found' }, 404),
	);
});
afterEach(async () => await server.close());

it('recorded: infinity has its routes at the root, and every connection to it asks there from then on', async () => {
	const connection = connectTo({ baseUrl: server.url });
	expect(connection.url.api).toBe(`${server.url}/v1`);
	expect((await listModels(connection)).map(({ id }) => id)).toEqual(['minilm', 'rr']);
	expect(connection.url.api).toBe(server.url);
	expect(connectTo({ baseUrl: `${server.url}/` }).url.api).toBe(server.url);
});

it('the same by the question who it is', async () => {
	const connection = connectTo({ baseUrl: server.url });
	expect(await askServerKind(connection)).toBe('infinity');
	expect(connection.url.api).toBe(server.url);
});
