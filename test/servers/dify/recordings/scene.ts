import type { RecordedCase, RecordedVersion } from '../../../support/dify-recordings';
import type { HttpFixture } from '../../../support/streams';
import { isJson } from '../http';
import type { AppSpec, Json, Script } from '../types';
import { eventsOf, type StreamEvent } from './compare';
import { scriptFromStream } from './script-from-stream';

/** One recorded exchange, parsed. */
export interface Scene {
	recorded: RecordedCase;
	version: RecordedVersion;
	answer: HttpFixture;
	json: unknown;
	/** Of the recorded URL. */
	path: string;
	query: URLSearchParams;
	user: string;
}

export function sceneOf(
	version: RecordedVersion,
	recorded: RecordedCase,
	answer: HttpFixture,
): Scene {
	const url = new URL(recorded.url, 'http://recorded');
	const type = answer.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
	const text = answer.body.toString('utf8');
	const fields = recorded.form?.find((part) => part.name === 'user')?.value;
	return {
		recorded,
		version,
		answer,
		json:
			type.startsWith('application/json') && text !== ''
				? (JSON.parse(text) as unknown)
				: undefined,
		path: url.pathname,
		query: url.searchParams,
		user: String(recorded.body?.user ?? url.searchParams.get('user') ?? fields ?? 'u1'),
	};
}

/** The script of a run, recovered from its answer. */
export function scriptOf(scene: Scene): { script?: Script; stopAfter?: number } {
	const { answer, recorded, json } = scene;
	const events = answer.headers.some(([, value]) => value.startsWith('text/event-stream'))
		? eventsOf(answer.body)
		: [];
	const moderated = isModerated(recorded, events);
	const bare = events.some((event) => event.event === 'error' && event.code === undefined);
	if (bare) return { script: refusal(scene, String(events.at(-1)?.message)) };
	if (events.length > 0) {
		const { script, stopAfter } = scriptFromStream(events, recorded.app, moderated);
		if (recorded.ended !== undefined && !finished(events.at(-1)?.event))
			script.steps.push({ wait: new Promise(() => undefined) });
		return { script, stopAfter };
	}
	if (!isJson(json)) return {};
	if (answer.status >= 400) return { script: refusal(scene, String(json.message)) };
	return { script: blockingScript(json) };
}

/**
 * Whether moderation or an annotation answered a chatflow, so that no workflow ran. 1.14 omits the field that names the
 * annotation.
 */
function isModerated({ app }: RecordedCase, events: StreamEvent[]): Script['moderated'] {
	if (app !== 'advanced-chat' || events.some((event) => event.event === 'workflow_started'))
		return false;
	const metadata = events.find((event) => event.event === 'message_end')?.metadata;
	if (!isJson(metadata)) return false;
	return 'annotation_reply' in metadata ? true : 'annotation';
}

function finished(last: string | undefined): boolean {
	return (
		last === 'message_end' ||
		last === 'workflow_finished' ||
		last === 'workflow_paused' ||
		last === 'error'
	);
}

/** Failures of the model, its provider, or the plugin daemon. */
function refusal({ answer, json }: Scene, message: string): Script | undefined {
	if (message.startsWith('Run failed: '))
		return { steps: [], fail: message.slice('Run failed: '.length) };
	if (
		!/PluginInvokeError|plugin daemon|[Pp]rovider|credentials is not|validation error for Data|for URL|Default model/.test(
			message,
		)
	) {
		return undefined;
	}
	return {
		steps: [],
		refuse: { status: answer.status, code: String((json as Json).code), message },
	};
}

function blockingScript(json: Json): Script {
	const { data, answer, metadata } = json;
	if (isJson(data)) return workflowScript(data, answer);
	const own = isJson(metadata) ? metadata : {};
	return {
		steps: answer === '' ? [] : [{ text: String(answer) }],
		usage: own.usage as Script['usage'],
		resources: (own.retriever_resources ?? []) as Json[],
		annotationReply: own.annotation_reply,
		moderated: isJson(metadata) && !('annotation_reply' in metadata) ? 'annotation' : undefined,
	};
}

function workflowScript(data: Json, answer: unknown): Script {
	const reasons = data.reasons as Json[] | undefined;
	const script: Script = {
		steps: answer === undefined ? [] : [{ text: String(answer) }],
		outputs: data.outputs as Json,
		elapsed: data.elapsed_time as number,
		totalTokens: data.total_tokens as number,
		totalSteps: data.total_steps as number,
	};
	if (reasons !== undefined) {
		const forms = reasons.map((each) => ({
			nodeId: String(each.node_id),
			nodeTitle: String(each.node_title),
			content: String(each.form_content),
			inputs: each.inputs as Json[],
			actions: each.actions as [],
			token: each.form_token as string | null,
			defaults: each.resolved_default_values as Json,
		}));
		script.steps.push({ pause: forms });
	}
	if (data.status === 'partial-succeeded') script.exceptions = 1;
	if (data.status === 'failed') script.fail = String(data.error);
	return script;
}

/** The app's settings in answers such as that of `/parameters`. */
export function described({ json, path }: Scene): Partial<AppSpec> {
	if (!isJson(json) || 'status' in json) return {};
	if (path === '/v1/info')
		return { name: String(json.name), description: String(json.description) };
	if (path === '/v1/meta') return { toolIcons: json.tool_icons as Json };
	if (path === '/v1/site') return { name: String(json.title) };
	if (path.endsWith('/suggested')) return { suggestedQuestions: json.data as string[] };
	if (path !== '/v1/parameters') return {};
	const speech = json.text_to_speech as { voice?: string; language?: string };
	const enabled = (name: string) => (json[name] as { enabled: boolean }).enabled;
	return {
		openingStatement: json.opening_statement as string | null,
		firstQuestions: json.suggested_questions as string[],
		suggestedQuestions: enabled('suggested_questions_after_answer') ? [] : null,
		speechToText: enabled('speech_to_text'),
		textToSpeech: enabled('text_to_speech'),
		voice: speech.voice,
		language: speech.language,
	};
}
