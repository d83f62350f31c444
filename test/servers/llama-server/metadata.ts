/** `/v1/models`, `/props`, `/metrics` (docs/protocols/llama-server.md 2.1 to 2.3, 2.10). */
import { fs, path, process } from '../../support/node';
import type { Core } from './core';
import { FINGERPRINT } from './dialects';
import type { Settings, SimModel } from './options';
import { paramsReport } from './params';
import { TEMPLATE_FILES } from './prompt';
import { randomAlphanumerics } from './text';

const now = (): number => Math.floor(Date.now() / 1000);

const meta = (settings: Settings, nCtx = settings.nCtx): object => ({
	vocab_type: 2,
	n_vocab: 49152,
	n_ctx: nCtx,
	n_ctx_train: 8192,
	n_embd: settings.embeddings?.dimensions ?? 576,
	n_params: 134515008,
	size: 96576768,
	ftype: 'Q4_1',
});

export const modelList = (settings: Settings): object => {
	const { alias, vision, audio } = settings;
	return {
		models: [
			{
				name: alias,
				model: alias,
				modified_at: '',
				size: '',
				digest: '',
				type: 'model',
				description: '',
				tags: [''],
				capabilities: vision || audio ? ['completion', 'multimodal'] : ['completion'],
				parameters: '',
				details: {
					parent_model: '',
					format: 'gguf',
					family: '',
					families: [''],
					parameter_size: '',
					quantization_level: '',
				},
			},
		],
		object: 'list',
		data: [
			{
				id: alias,
				aliases: [alias],
				tags: [],
				object: 'model',
				created: now(),
				owned_by: 'llamacpp',
				...architecture(settings),
				meta: meta(settings),
			},
		],
	};
};

/** Of a decision model only: the other tests are about servers that send none. */
const architecture = ({ decisions, vision }: Settings): object =>
	decisions === 0
		? {}
		: {
				architecture: {
					input_modalities: vision ? ['text', 'image'] : ['text'],
					output_modalities: ['decisions'],
				},
			};

const templateText = (template: Settings['template']): string =>
	fs
		.readFileSync(path.join(process.cwd(), 'test', 'fixtures', TEMPLATE_FILES[template]), 'utf8')
		.trimEnd();

const CAPS: Record<Settings['template'], object> = {
	chatml: { object: true, calls: true, system: true },
	thinking: { object: true, calls: true, system: true },
	strict: { object: true, calls: true, system: false },
};

const caps = (template: Settings['template']): object => {
	const { object, calls, system } = CAPS[template] as Record<string, boolean>;
	return {
		supports_object_arguments: object,
		supports_parallel_tool_calls: calls,
		supports_preserve_reasoning: template === 'thinking',
		supports_reasoning_effort: false,
		supports_string_content: true,
		supports_system_role: system,
		supports_tool_calls: calls,
		supports_tools: template !== 'strict',
		supports_typed_content: false,
	};
};

/** `reasoning_format` is always "none" here. */
export const props = (settings: Settings, sleeping: boolean, model?: SimModel): object => ({
	default_generation_settings: {
		params: paramsReport(
			{},
			{ full: false, chatFormat: 'Content-only', reasoningFormat: 'none', generationPrompt: '' },
		),
		n_ctx: model?.nCtx ?? settings.nCtx,
	},
	total_slots: settings.slots,
	model_alias: model?.id ?? settings.alias,
	model_ftype: 'Q4_1',
	model_path: model ? `models/${model.id}.gguf` : settings.modelPath,
	modalities: {
		vision: model?.vision ?? settings.vision,
		video: false,
		audio: model?.audio ?? settings.audio,
	},
	media_marker: `<__media_${randomAlphanumerics(32, 7)}__>`,
	endpoint_slots: settings.slotsEndpoint,
	endpoint_props: false,
	endpoint_metrics: settings.metrics,
	ui: true,
	ui_settings: {},
	chat_template: templateText(settings.template),
	chat_template_caps: caps(settings.template),
	bos_token: '<|im_start|>',
	eos_token: '<|im_end|>',
	build_info: FINGERPRINT,
	is_sleeping: sleeping,
	cors_proxy_enabled: false,
});

export const routerProps = (settings: Settings): object => ({
	role: 'router',
	max_instances: 4,
	models_autoload: settings.autoload,
	model_alias: 'llama-server',
	model_path: 'none',
	default_generation_settings: { params: null, n_ctx: 0 },
	ui_settings: {},
	build_info: FINGERPRINT,
	cors_proxy_enabled: false,
});

export const routerModel = (settings: Settings, model: SimModel): object => {
	const { id, status = 'unloaded', exitCode, nCtx = settings.nCtx } = model;
	const size = String(nCtx);
	const file = `models/${id}.gguf`;
	const port = status === 'loaded' ? '46251' : '0';
	const failed = status === 'unloaded' && exitCode !== undefined;
	return {
		id,
		aliases: model.aliases ?? [],
		tags: [],
		object: 'model',
		owned_by: 'llamacpp',
		created: now(),
		status: {
			value: status,
			args: [
				'/usr/bin/llama-server',
				...(model.embeddings === true ? ['--embeddings'] : []),
				'--host',
				'127.0.0.1',
				'--port',
				port,
				...(model.rerank === true ? ['--reranking'] : []),
				'--alias',
				id,
				'--ctx-size',
				size,
				'--model',
				file,
				'--parallel',
				String(settings.slots),
				'--threads',
				'2',
			],
			preset: `[${id}]\n${model.embeddings ? 'embeddings = true\n' : ''}${model.rerank ? 'reranking = true\n' : ''}ctx-size = ${size}\nmodel = ${file}\nparallel = ${settings.slots}\nthreads = 2\n\n`,
			...(failed ? { exit_code: exitCode, failed: true } : {}),
		},
		architecture: {
			input_modalities: [
				'text',
				...(model.vision ? ['image'] : []),
				...(model.audio ? ['audio'] : []),
			],
			output_modalities: ['text'],
		},
		source: 'models_dir',
		can_remove: false,
		...(status === 'loaded' ? { meta: meta(settings, nCtx) } : {}),
	};
};

/** Gauges are averages since the start; on the real server, since the previous scrape. */
export const metrics = ({ counters, pool }: Core): string => {
	const rate = (count: number, seconds: number): number => (seconds > 0 ? count / seconds : 0);
	const rows: Array<[type: string, name: string, help: string, value: number]> = [
		[
			'counter',
			'prompt_tokens_total',
			'Number of prompt tokens processed, excluding cached tokens',
			counters.prompt,
		],
		[
			'counter',
			'prompt_tokens_cached_total',
			'Number of prompt tokens reused from the cache',
			counters.cached,
		],
		[
			'counter',
			'prompt_seconds_total',
			'Total time spent processing prompts',
			counters.promptSeconds,
		],
		[
			'counter',
			'tokens_predicted_total',
			'Number of generation tokens processed',
			counters.predicted,
		],
		[
			'counter',
			'tokens_predicted_seconds_total',
			'Total time spent generating tokens',
			counters.predictedSeconds,
		],
		[
			'counter',
			'n_decode_total',
			'Total number of llama_decode() calls, excluding speculative decoding and multimodal decoding',
			counters.decodes,
		],
		[
			'counter',
			'n_tokens_max',
			'Largest observed sequence length (prompt + generation)',
			counters.maxTokens,
		],
		[
			'counter',
			'spec_decode_num_draft_tokens_total',
			'Speculative: Total draft tokens generated',
			0,
		],
		[
			'counter',
			'spec_decode_num_accepted_tokens_total',
			'Speculative: Total draft tokens accepted by the target model',
			0,
		],
		[
			'counter',
			'spec_decode_num_drafts_total',
			'Speculative: Total speculative decoding verification steps',
			0,
		],
		[
			'gauge',
			'prompt_tokens_seconds',
			'Average prompt throughput in tokens/s',
			rate(counters.prompt, counters.promptSeconds),
		],
		[
			'gauge',
			'predicted_tokens_seconds',
			'Average generation throughput in tokens/s',
			rate(counters.predicted, counters.predictedSeconds),
		],
		['gauge', 'requests_processing', 'Number of requests processing', pool.busy],
		['gauge', 'requests_deferred', 'Number of requests deferred', pool.queued],
		[
			'gauge',
			'n_busy_slots_per_decode',
			'Average number of busy slots per llama_decode() call',
			counters.decodes > 0 ? 1 : 0,
		],
	];
	return rows
		.map(
			([type, name, help, value]) =>
				`# HELP llamacpp:${name} ${help}\n# TYPE llamacpp:${name} ${type}\nllamacpp:${name} ${value}\n`,
		)
		.join('');
};
