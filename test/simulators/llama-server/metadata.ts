/** `/v1/models`, `/props`, `/metrics` (docs/protocols/llama-server.md 2.1 to 2.3, 2.10). */
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { httpFixture } from '../../support/streams';
import type { Core } from './core';
import type { Settings, SimModel } from './options';
import { paramsReport } from './params';
import { TEMPLATE_FILES } from './prompt';
import { randomAlphanumerics } from './text';

const now = (): number => Math.floor(Date.now() / 1000);

type Fields = Record<string, unknown>;

/** The body of a recorded answer. Each answer here is a recorded one with the settings of the test. */
const recordedText = (name: string): string =>
	httpFixture(`llama-server-v0.5.0/${name}.http`).body.toString('utf8');
const recorded = (name: string): Fields => JSON.parse(recordedText(name)) as Fields;
const firstOf = (list: unknown): Fields => (list as Fields[])[0]!;

const meta = (settings: Settings, nCtx = settings.nCtx): object => ({
	...(firstOf(recorded('models').data).meta as Fields),
	n_ctx: nCtx,
	...(settings.embeddings === undefined ? {} : { n_embd: settings.embeddings.dimensions }),
});

export const modelList = (settings: Settings): object => {
	const { alias, vision, audio } = settings;
	const list = recorded('models');
	const capabilities = vision || audio ? ['completion', 'multimodal'] : ['completion'];
	const model = { ...firstOf(list.models), name: alias, model: alias, capabilities };
	const entry = { id: alias, aliases: [alias], created: now(), meta: meta(settings) };
	const data = { ...firstOf(list.data), ...entry };
	return { ...list, models: [model], data: [data] };
};

const templateText = (template: Settings['template']): string =>
	fs
		.readFileSync(path.join(process.cwd(), 'test', 'fixtures', TEMPLATE_FILES[template]), 'utf8')
		.trimEnd();

/** What the recorded template can do, and the simulated ones cannot. */
const CAPS: Record<Settings['template'], Fields> = {
	chatml: {},
	thinking: { supports_preserve_reasoning: true },
	strict: { supports_system_role: false, supports_tools: false },
};

/** `reasoning_format` is always "none" here. */
export const props = (settings: Settings, sleeping: boolean, model?: SimModel): object => {
	const answer = recorded('props-tools');
	const generationSettings = {
		full: false,
		chatFormat: 'Content-only',
		reasoningFormat: 'none',
		generationPrompt: '',
	};
	return {
		...answer,
		default_generation_settings: {
			params: paramsReport({}, generationSettings),
			n_ctx: model?.nCtx ?? settings.nCtx,
		},
		total_slots: settings.slots,
		model_alias: model?.id ?? settings.alias,
		model_path: model ? `models/${model.id}.gguf` : settings.modelPath,
		modalities: {
			vision: model?.vision ?? settings.vision,
			video: settings.video,
			audio: model?.audio ?? settings.audio,
		},
		media_marker: `<__media_${randomAlphanumerics(32, 7)}__>`,
		endpoint_metrics: settings.metrics,
		chat_template: templateText(settings.template),
		chat_template_caps: {
			...(answer.chat_template_caps as Fields),
			...CAPS[settings.template],
		},
		is_sleeping: sleeping,
	};
};

export const routerProps = (): object => ({
	...recorded('router-props'),
	models_autoload: true,
});

export const routerModel = (settings: Settings, model: SimModel): object => {
	const { id, status = 'unloaded', exitCode, nCtx = settings.nCtx } = model;
	const size = String(nCtx);
	const file = `models/${id}.gguf`;
	const port = status === 'loaded' ? '46251' : '0';
	const failed = status === 'unloaded' && exitCode !== undefined;
	const entry = firstOf(recorded('router-models-loaded').data);
	delete entry.meta;
	return {
		...entry,
		id,
		aliases: model.aliases ?? [],
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
		...(status === 'loaded' ? { meta: meta(settings, nCtx) } : {}),
	};
};

/** Gauges are averages since the start; on the real server, since the previous scrape. */
export const metrics = ({ counters, pool }: Core): string => {
	const rate = (count: number, seconds: number): number => (seconds > 0 ? count / seconds : 0);
	const values: Record<string, number> = {
		prompt_tokens_total: counters.prompt,
		prompt_tokens_cached_total: counters.cached,
		prompt_seconds_total: counters.promptSeconds,
		tokens_predicted_total: counters.predicted,
		tokens_predicted_seconds_total: counters.predictedSeconds,
		n_decode_total: counters.decodes,
		n_tokens_max: counters.maxTokens,
		prompt_tokens_seconds: rate(counters.prompt, counters.promptSeconds),
		predicted_tokens_seconds: rate(counters.predicted, counters.predictedSeconds),
		requests_processing: pool.busy,
		requests_deferred: pool.queued,
		n_busy_slots_per_decode: counters.decodes > 0 ? 1 : 0,
	};
	return recordedText('metrics').replace(
		/^llamacpp:(\w+) .*$/gm,
		(_line, name: string) => `llamacpp:${name} ${values[name] ?? 0}`,
	);
};
