import { assertCapabilities } from '../../../../lib/chat/prepare/capabilities';
import { litellm } from '../../../../lib/servers/types/litellm';
import type { JsonRecord } from '../../../../lib/values/records';
import { getError } from '../../../support/jest/get-error';
import { serve } from '../json-server';

const entry = (supportsVision: unknown, name = 'm'): JsonRecord => ({
	model_name: name,
	litellm_params: { model: 'ollama_chat/smol' },
	model_info: { supports_vision: supportsVision },
});

const IMAGE = 'data:image/png;base64,iVBORw0KGgo=';

async function sendImage(info: unknown) {
	const { server } = await serve(info === undefined ? {} : { 'GET /model/info': info });
	const messages = [
		{
			role: 'user' as const,
			content: [{ type: 'image' as const, url: IMAGE }],
		},
	];
	await assertCapabilities(
		{
			server: { ...server, configuredType: 'litellm' },
			serverType: litellm,
			settings: { model: 'm' } as never,
			chatRequest: {} as never,
		},
		messages,
		undefined,
	);
}

test.each([
	{ name: 'its entry', data: [entry(false)] },
	{ name: 'each of its entries', data: [entry(false), entry(false)] },
	{ name: 'its entry, beside other models', data: [entry(true, 'vl'), entry(false)] },
])('an image for a model without vision, by $name, is not sent', async ({ data }) => {
	const error = await getError(sendImage({ data }));
	expect([error.type, error.message]).toEqual([
		'modalityUnsupported',
		'The model "m" does not support images',
	]);
	expect(error.suggestion).toContain('supports_vision');
});

test.each([
	{ name: 'it is not declared', info: { data: [entry(null)] } },
	{ name: 'another entry of the name has it', info: { data: [entry(false), entry(true)] } },
	{ name: 'another entry of the name is unknown', info: { data: [entry(false), entry(null)] } },
	{ name: 'only another model lacks it', info: { data: [entry(false, 'other')] } },
	{ name: 'the list is empty', info: { data: [] } },
	{ name: 'the response has another form', info: { detail: 'x' } },
	{ name: 'the key may not read it', info: undefined },
])('an image is sent if $name', async ({ info }) => {
	await expect(sendImage(info)).resolves.toBeUndefined();
});
