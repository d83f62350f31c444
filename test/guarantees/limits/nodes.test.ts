/** Limits of what servers send, as users meet them. */
import { testLimit } from '../../support/jest/limits';
import { LLAMA_SERVER } from '../support/responses';
import { PNG } from '../../simulators/media/sd-server';
import { modelList, run } from '../support/node-runner';
import { json, useServers } from '../../support/servers/scripted-server';

const start = useServers();

testLimit('lib/task-limits.ts#TASK_LIMITS.probe.entries', {
	limit: 5_000,
	outcome: async (count) => {
		const data = Array.from({ length: count }, (_none, at) => ({ id: `model-${at}` }));
		const server = await start({ 'GET /v1/models': json({ object: 'list', data }) });
		return await modelList(server.url).then(
			({ results }) => (results.length === count ? 'complete' : 'cut'),
			(error: Error) => (error.message.includes('more than 5000') ? 'too long' : error.message),
		);
	},
	within: 'complete',
	beyond: 'too long',
});
testLimit('lib/task-limits.ts#TASK_LIMITS.generateImages.entries', {
	limit: 100,
	outcome: async (count) => {
		const data = Array.from({ length: count }, () => ({ b64_json: PNG }));
		const routes = { ...LLAMA_SERVER, 'POST /v1/images/generations': json({ data }) };
		const { url } = await start(routes);
		return await run(url, 'image:generate', { parameters: { prompt: 'a cat' } }).then(
			(items) => (items.length === count ? 'complete' : 'cut'),
			({ message }: Error) => (message.endsWith('images, more than 100') ? 'too long' : message),
		);
	},
	within: 'complete',
	beyond: 'too long',
});
const IMAGE_ITEM = {
	json: {},
	binary: { data: { data: PNG, mimeType: 'image/png', fileName: 'fox.png' } },
};
testLimit('lib/task-limits.ts#TASK_LIMITS.editImages.entries', {
	limit: 100,
	outcome: async (count) => {
		const data = Array.from({ length: count }, () => ({ b64_json: PNG }));
		const routes = { ...LLAMA_SERVER, 'POST /v1/images/edits': json({ data }) };
		const { url } = await start(routes);
		const setup = { parameters: { prompt: 'blue' }, items: [IMAGE_ITEM] };
		return await run(url, 'image:edit', setup).then(
			(items) => (items.length === count ? 'complete' : 'cut'),
			({ message }: Error) => (message.endsWith('images, more than 100') ? 'too long' : message),
		);
	},
	within: 'complete',
	beyond: 'too long',
});
testLimit('lib/tasks/images.ts#MAX_EDITED_IMAGES', {
	limit: 16,
	of: 'images of an edit',
	outcome: async (count) => {
		const routes = {
			...LLAMA_SERVER,
			'POST /v1/images/edits': json({ data: [{ b64_json: PNG }] }),
		};
		const { url } = await start(routes);
		const binaryFields = Array.from({ length: count }, () => 'data').join(', ');
		const setup = { parameters: { prompt: 'blue', binaryFields }, items: [IMAGE_ITEM] };
		return await run(url, 'image:edit', setup).then(
			() => 'sent',
			({ message }: Error) => message,
		);
	},
	within: 'sent',
	beyond: 'The field "Input Binary Fields" names 17 images (maximum 16)',
});
testLimit('lib/tasks/synthesize-speech.ts#MIN_AUDIO_BYTES', {
	limit: 99,
	of: 'bytes, one less than audio has',
	outcome: async (bytes) => {
		const server = await start({
			...LLAMA_SERVER,
			'POST /v1/audio/speech': (_request, response) => {
				response.writeHead(200, { 'content-type': 'audio/mpeg' });
				response.end(Buffer.alloc(bytes, 0xff));
			},
		});
		const parameters = { text: 'Hi', voice: 'a', options: { maxRetries: 0 } };
		return await run(server.url, 'audio:speak', { parameters }).then(
			() => 'audio',
			(error: Error) => error.message,
		);
	},
	within: 'The server returned no audio',
	beyond: 'audio',
});
