/** What servers report about themselves: recorded responses with the settings of the test. */
import { fixture, httpFixture } from '../../support/servers/streams';
import type { Json } from './generate';
import type { Settings, SimModel } from './options';

const recordedText = (name: string): string =>
	httpFixture(`llama-server-v0.5.0/${name}.http`).body.toString('utf8');
const recorded = (name: string): Json => JSON.parse(recordedText(name)) as Json;
const firstOf = (list: unknown): Json => (list as Json[])[0]!;
const created = (): number => Math.floor(Date.now() / 1000);

const metaOf = ({ nCtx, embeddings }: Settings): object => ({
	...(firstOf(recorded('models').data).meta as Json),
	n_ctx: nCtx,
	...(embeddings === undefined ? {} : { n_embd: embeddings.dimensions }),
});

export function llamaModels(settings: Settings): object {
	const { alias, vision, audio, decisions } = settings;
	const list = recorded('models');
	const capabilities = vision || audio ? ['completion', 'multimodal'] : ['completion'];
	const model = { ...firstOf(list.models), name: alias, model: alias, capabilities };
	const architecture = { input_modalities: ['text'], output_modalities: ['decisions'] };
	const entry = {
		id: alias,
		aliases: [alias],
		created: created(),
		meta: metaOf(settings),
		...(decisions ? { architecture } : {}),
	};
	return { ...list, models: [model], data: [{ ...firstOf(list.data), ...entry }] };
}

const TEMPLATES: Record<Settings['template'], { file: string; capabilities: object }> = {
	chatml: { file: 'chatml-tools.jinja', capabilities: {} },
	thinking: {
		file: 'chatml-thinking.jinja',
		capabilities: { supports_preserve_reasoning: true },
	},
	strict: {
		file: 'strict.jinja',
		capabilities: { supports_system_role: false, supports_tools: false },
	},
};

export function llamaProps(settings: Settings, model?: SimModel): object {
	const props = recorded('props-tools');
	const { file, capabilities } = TEMPLATES[settings.template];
	const name = model?.id ?? settings.alias;
	const defaults = props.default_generation_settings as Json;
	return {
		...props,
		default_generation_settings: { ...defaults, n_ctx: settings.nCtx },
		total_slots: settings.slots,
		model_alias: name,
		model_path: `models/${name}.gguf`,
		modalities: {
			vision: model?.vision ?? settings.vision,
			video: settings.video,
			audio: model?.audio ?? settings.audio,
		},
		endpoint_metrics: settings.metrics,
		chat_template: fixture(file).toString('utf8').trimEnd(),
		chat_template_caps: { ...(props.chat_template_caps as Json), ...capabilities },
		is_sleeping: false,
	};
}

export const routerProps = (): object => ({ ...recorded('router-props'), models_autoload: true });

function routerModel(settings: Settings, model: SimModel): object {
	const { id, status = 'unloaded', exitCode, embeddings = false, vision, audio } = model;
	const hasFailed = status === 'unloaded' && exitCode !== undefined;
	const inputs = ['text', ...(vision ? ['image'] : []), ...(audio ? ['audio'] : [])];
	return {
		...firstOf(recorded('router-models-loaded').data),
		id,
		aliases: model.aliases ?? [],
		created: created(),
		status: {
			value: status,
			args: ['llama-server', ...(embeddings ? ['--embeddings'] : []), '--alias', id],
			preset: `[${id}]\n${embeddings ? 'embeddings = true\n' : ''}model = models/${id}.gguf\n\n`,
			...(hasFailed ? { exit_code: exitCode, failed: true } : {}),
		},
		architecture: { input_modalities: inputs, output_modalities: ['text'] },
		meta: status === 'loaded' ? metaOf(settings) : undefined,
	};
}

export const routerModels = (settings: Settings): object => ({
	object: 'list',
	data: settings.models.map((model) => routerModel(settings, model)),
});

/** The recorded metrics, with the number of running requests; as many wait. No other count is zero. */
export const llamaMetrics = (active: number): string =>
	recordedText('metrics').replace(
		/^llamacpp:(\w+) .*$/gm,
		(_line, name: string) =>
			`llamacpp:${name} ${/^requests_(?:processing|deferred)$/.test(name) ? active : 3}`,
	);

/** The list of OpenAI's API, with the owner by which a server is known. */
export const ownedModels = ({ models, nCtx, profile }: Settings, owner: string): object => ({
	object: 'list',
	data: models.map(({ id }) => ({
		id,
		object: 'model',
		created: 1763625600,
		owned_by: owner,
		...(profile === 'vllm' ? { root: id, max_model_len: nCtx } : {}),
	})),
});

const ollamaModel = ({ id }: SimModel): object => ({
	name: id,
	model: id,
	size: 96576768,
	digest: 'a'.repeat(64),
	details: {
		format: 'gguf',
		family: 'llama',
		parameter_size: '134.52M',
		quantization_level: 'Q4_1',
	},
});

export const ollamaTags = ({ models }: Settings): object => ({ models: models.map(ollamaModel) });

export const ollamaRunning = ({ models, nCtx }: Settings): object => ({
	models: models.map((model) => ({ ...ollamaModel(model), context_length: nCtx })),
});

export const ollamaShow = ({ tools, vision }: SimModel, { nCtx }: Settings): object => ({
	details: { family: 'llama' },
	model_info: { 'general.architecture': 'llama', 'llama.context_length': nCtx },
	capabilities: ['completion', ...(tools ? ['tools'] : []), ...(vision ? ['vision'] : [])],
});
