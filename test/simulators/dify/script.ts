import type { DifyAppMode, DifyUsage } from '../../../lib/dify/types';
import type { FormStep, Item, Json, NodeStep, Script, Step, ThoughtRound } from './types';
import { without } from './http';
import { defaultUsage, noUsage, stoppedUsage, unmeasured, workflowBased } from './plain';

export interface RunContext {
	mode: DifyAppMode;
	conversationId: string;
	messageId: string;
	taskId: string;
	runId: string;
	workflowId: string;
	appId: string;
	endUserId: string;
	user: string;
	query: string;
	inputs: Json;
	files: Json[];
	dialogueCount: number;
	/** Unix seconds. */
	createdAt: number;
	newId: (kind: string) => string;
}

export interface IssuedForm {
	form: FormStep;
	formId: string;
	token: string | null;
	expiresAt: number;
}

export type Ending = 'done' | 'failed' | 'stopped' | 'error';

/**
 * Turns a run into the events of a type of app (docs/protocols/dify.md 3.2 to 3.7). Step by step, since a stop
 * may come at any time. Uses no clock and no socket.
 */
export class Transcript {
	/** Text that was streamed so far. */
	text = '';
	outputs: Json = {};
	/** Texts for the stored message; an agent's rounds are joined by a newline (docs/protocols/dify.md 3.5). */
	stored: string[] = [];
	readonly thoughts: Json[] = [];
	readonly assistantFiles: Json[] = [];
	readonly forms: IssuedForm[] = [];
	private readonly answered = new Set<IssuedForm>();
	status: 'running' | 'succeeded' | 'partial-succeeded' | 'failed' | 'stopped' | 'paused' =
		'running';
	error: string | undefined;
	private nodes = 0;
	private readonly executions = new Map<string, string>();
	private positions = 0;
	private textLabel: 'message' | 'message_file' | undefined;
	private speaking = false;

	constructor(
		readonly script: Script,
		private readonly context: RunContext,
	) {
		this.speaking =
			script.trailingAudio !== undefined || script.steps.some((step) => 'tts' in step);
	}

	opening(): Item[] {
		const { mode } = this.context;
		if (!workflowBased(mode)) return [];
		const ping: Item[] = [{ kind: 'ping' }];
		if (this.script.refuse !== undefined) return [...ping, ...this.fail(this.script.refuse)];
		return [...ping, this.workflowStarted()];
	}

	/** Forms that are not answered yet. */
	get openForms(): IssuedForm[] {
		return this.forms.filter((issued) => !this.answered.has(issued));
	}

	/** @returns whether other forms are still open, so that the run stays paused */
	answer(issued: IssuedForm): boolean {
		this.answered.add(issued);
		return this.openForms.length > 0;
	}

	/** Events after a form was answered. */
	resumption(filled: { form: FormStep; action: string; inputs: Json }): Item[] {
		const { form, action, inputs } = filled;
		this.status = 'running';
		return [
			this.workflowStarted('resumption'),
			this.event('human_input_form_filled', {
				data: {
					node_id: form.nodeId,
					node_title: form.nodeTitle,
					rendered_content: form.content,
					action_id: action,
					action_text: form.actions.find(({ id }) => id === action)?.title ?? action,
					submitted_data: inputs,
				},
			}),
			this.nodeFinished({
				id: form.nodeId,
				title: form.nodeTitle,
				type: 'human-input',
				outputs: { ...inputs, __action_id: action },
			}),
		];
	}

	step(step: Step): Item[] {
		if ('text' in step) return this.say(step.text, step.from);
		if ('replace' in step) {
			this.text = step.replace;
			this.stored = [step.replace];
			return [
				this.event('message_replace', {
					answer: step.replace,
					reason: step.reason ?? 'output_moderation',
				}),
			];
		}
		if ('file' in step) return [this.file(step.file)];
		if ('node' in step) return [this.nodeStarted(step.node), this.nodeFinished(step.node)];
		if ('nodeStart' in step) return [this.nodeStarted(step.nodeStart)];
		if ('nodeEnd' in step) return [this.nodeFinished(step.nodeEnd)];
		if ('round' in step) return this.round(step.round);
		if ('emit' in step) return [this.event(step.emit, step.fields)];
		if ('tts' in step) return [this.event('tts_message', { audio: step.tts })];
		if ('pause' in step) return this.pause(step.pause);
		if ('error' in step) return this.fail(step.error);
		if ('wait' in step) return [{ kind: 'wait', for: step.wait }];
		if ('ping' in step) return [{ kind: 'ping' }];
		return [{ kind: 'raw', raw: step.raw }];
	}

	/** Events of the script's end, or of a stop. */
	ending(how: Ending = this.usualEnding()): Item[] {
		const { mode } = this.context;
		if (mode === 'advanced-chat') return [...this.chatflowEnding(how), ...this.speech()];
		if (mode === 'workflow') return [this.workflowFinished(how), ...this.speech()];
		this.settle(how);
		const closing: Item[] = [];
		if (mode === 'agent' && this.text !== '') {
			closing.push(
				this.event('message', {
					id: this.context.messageId,
					answer: this.text,
					from_variable_selector: null,
				}),
			);
		}
		return [...closing, this.messageEnd(), ...this.speech()];
	}

	private usualEnding(): Ending {
		if (this.script.stopped !== undefined) return 'stopped';
		return this.script.fail === undefined ? 'done' : 'failed';
	}

	private chatflowEnding(how: Ending): Item[] {
		if (how === 'failed') return this.chatflowFailed(this.script.fail ?? 'unknown');

		if (how === 'stopped') return [this.workflowFinished(how)];
		const end = this.messageEnd();
		return [end, this.workflowFinished(how)];
	}

	private chatflowFailed(reason: string): Item[] {
		const finished = this.workflowFinished('failed', reason);
		return [finished];
	}

	private fail(error: { code?: string; status: number; message: string | null }): Item[] {
		this.status = 'failed';
		this.error = error.message ?? '';
		const end: Item[] = this.speaking ? [this.event('tts_message_end', { audio: '' })] : [];
		return [this.errorEvent(error), ...end];
	}

	/** Never has a task ID; without a code it has no ID at all, since it comes from a worker (docs/protocols/dify.md 3.7). */
	private errorEvent(error: { code?: string; status: number; message: string | null }): Item {
		const { mode, conversationId, messageId, createdAt, runId } = this.context;
		const { code, status, message } = error;
		if (code === undefined) return { kind: 'event', event: { event: 'error', message, status } };
		const ids =
			mode === 'workflow'
				? { workflow_run_id: runId }
				: {
						...(mode === 'completion' ? {} : { conversation_id: conversationId }),
						message_id: messageId,
						created_at: createdAt,
					};
		return { kind: 'event', event: { event: 'error', ...ids, code, message, status } };
	}

	private envelope(): Json {
		const { mode, conversationId, messageId, createdAt, taskId, runId } = this.context;
		if (mode === 'workflow') return { workflow_run_id: runId, task_id: taskId };
		const ids = { message_id: messageId, created_at: createdAt, task_id: taskId };
		return mode === 'completion' ? ids : { conversation_id: conversationId, ...ids };
	}

	private event(name: string, own: Json): Item {
		// Workflow events of a chatflow have the run ID outside `data` too, except agent logs and reasoning
		// (docs/protocols/dify.md 3.2, 3.3).
		const run =
			this.context.mode === 'advanced-chat' &&
			'data' in own &&
			name !== 'agent_log' &&
			name !== 'reasoning_chunk'
				? { workflow_run_id: this.context.runId }
				: {};
		return { kind: 'event', event: { event: name, ...this.envelope(), ...run, ...own } };
	}

	private say(text: string, from?: string[]): Item[] {
		const { mode, messageId } = this.context;
		this.stored.push(text);
		this.text += text;
		if (mode === 'workflow')
			return [this.event('text_chunk', { data: { text, from_variable_selector: from ?? null } })];
		if (mode === 'agent' || mode === 'agent-chat')
			return [this.event('agent_message', { id: messageId, answer: text })];
		if (mode !== 'advanced-chat' && this.textLabel === undefined) {
			const withFile = this.assistantFiles.length > 0;
			this.textLabel = withFile ? 'message_file' : 'message';
		}
		const own = { id: messageId, answer: text, from_variable_selector: from ?? null };
		return [this.event(this.textLabel ?? 'message', own)];
	}

	private file(file: { id?: string; type: string; url: string; belongsTo?: string }): Item {
		const record = {
			id: file.id ?? this.context.newId('message-file'),
			type: file.type,
			belongs_to: file.belongsTo ?? 'assistant',
			url: file.url,
		};
		this.assistantFiles.push(record);
		return this.event('message_file', record);
	}

	private round(round: ThoughtRound): Item[] {
		const id = this.context.newId('thought');
		const position = ++this.positions;
		const { tool } = round;
		const thought = round.chunks.join('');
		const shell = {
			id,
			position,
			thought: '',
			observation: '',
			tool: '',
			tool_labels: {},
			tool_input: '',
			message_files: [] as unknown[],
		};
		const known = {
			tool: tool?.name ?? '',
			tool_input: tool?.input ?? '',
			observation: tool?.observation ?? '',
		};
		const labels = tool === undefined ? {} : { [tool.name]: tool.label ?? {} };
		const whole = { ...shell, thought, ...known, tool_labels: labels };
		const isLate = round.early === false;
		const items = [this.event('agent_thought', isLate ? whole : shell)];
		if (position > 1) this.stored.push('\n');
		for (const chunk of round.chunks) items.push(...this.say(chunk));
		let last: typeof shell = { ...shell, thought };
		if (tool !== undefined) {
			last = { ...whole, observation: isLate ? tool.observation : '' };
			items.push(this.event('agent_thought', last));
			const files = (round.files ?? []).map((file) => this.file(file));
			items.push(...files);
			const ids = files.map((item) => (item.kind === 'event' ? item.event.id : undefined));
			last = { ...last, observation: tool.observation, message_files: ids };
		}
		items.push(this.event('agent_thought', last));
		this.thoughts.push(last);
		return items;
	}

	private workflowStarted(reason?: string): Item {
		const { runId, workflowId, createdAt } = this.context;
		const data = {
			id: runId,
			workflow_id: workflowId,
			inputs: this.systemInputs(),
			created_at: createdAt,
		};

		return this.event('workflow_started', { data: { ...data, reason: reason ?? 'initial' } });
	}

	private systemInputs(): Json {
		const { mode, query, files, user, dialogueCount, appId, workflowId, runId, inputs } =
			this.context;
		const chat =
			mode === 'workflow' ? {} : { 'sys.query': query, 'sys.dialogue_count': dialogueCount };
		return {
			...inputs,
			...chat,
			'sys.files': files,
			'sys.user_id': user,
			'sys.app_id': appId,
			'sys.workflow_id': workflowId,
			'sys.workflow_run_id': runId,
		};
	}

	private nodeStarted(node: NodeStep): Item {
		const id = node.executionId ?? this.context.newId('execution');
		this.nodes++;
		this.executions.set(node.id, id);
		return this.event('node_started', {
			data: {
				...this.nodeHead(node),
				inputs: null,
				inputs_truncated: false,
				created_at: this.context.createdAt,
				extras: node.extras ?? {},
				iteration_id: node.iterationId ?? null,
				loop_id: node.loopId ?? null,
				agent_strategy: null,
			},
		});
	}

	private nodeHead(node: NodeStep): Json {
		return {
			id: this.executions.get(node.id) ?? this.context.newId('execution'),
			node_id: node.id,
			node_type: node.type ?? 'code',
			title: node.title ?? node.id,
			// Dify does not count nodes.
			index: 1,
			predecessor_node_id: null,
		};
	}

	private nodeFinished(node: NodeStep): Item {
		const { createdAt } = this.context;
		const elapsed = node.elapsed ?? 0.01;
		return this.event('node_finished', {
			data: {
				...this.nodeHead(node),
				inputs: node.inputs ?? {},
				inputs_truncated: false,
				process_data: node.processData ?? {},
				process_data_truncated: false,
				outputs: node.outputs ?? {},
				outputs_truncated: false,
				status: node.status ?? 'succeeded',
				error: node.error ?? null,
				elapsed_time: elapsed,
				execution_metadata: node.executionMetadata ?? null,
				created_at: createdAt,
				finished_at: wholeSeconds(createdAt, elapsed),
				files: node.files ?? [],
				iteration_id: node.iterationId ?? null,
				loop_id: node.loopId ?? null,
			},
		});
	}

	private settle(how: Ending, reason?: string): void {
		const good = (this.script.exceptions ?? 0) > 0 ? 'partial-succeeded' : 'succeeded';
		this.status = how === 'done' ? good : how === 'stopped' ? 'stopped' : 'failed';
		this.error = reason;
	}

	private workflowFinished(how: Ending, reason?: string): Item {
		const { mode, runId, workflowId, createdAt, endUserId, user } = this.context;
		const { script } = this;
		this.settle(
			how,
			how === 'failed'
				? (reason ?? script.fail)
				: how === 'stopped'
					? (script.stopped ?? 'Aborted: User requested stop')
					: undefined,
		);
		const files = script.files ?? [];
		const usual = mode === 'workflow' ? { text: this.text } : { answer: this.text, files };
		this.outputs = script.outputs ?? (how === 'done' ? usual : {});
		const elapsed = script.elapsed ?? 1.5;
		return this.event('workflow_finished', {
			data: {
				id: runId,
				workflow_id: workflowId,
				status: this.status,
				outputs: this.outputs,
				error: this.error ?? null,
				elapsed_time: elapsed,
				total_tokens: this.totalTokens(),
				total_steps: script.totalSteps ?? this.nodes,
				created_by: { id: endUserId, user },
				created_at: createdAt,
				finished_at: wholeSeconds(createdAt, elapsed),
				exceptions_count: script.exceptions ?? 0,
				files,
			},
		});
	}

	private totalTokens(): number {
		return this.script.totalTokens ?? this.script.usage?.total_tokens ?? 0;
	}

	metadata(): Json {
		const { script, context } = this;
		const resources =
			context.mode === 'agent' ? {} : { retriever_resources: script.resources ?? [] };
		const annotation = { annotation_reply: null };
		const reasoning = { reasoning: {} };
		return { ...annotation, ...resources, usage: this.usage(), ...reasoning };
	}

	/** 1.16 omits metadata without a value in streams of chatbots, but not in blocking answers. */
	private streamedMetadata(): Json {
		const metadata = this.metadata();
		if (workflowBased(this.context.mode)) return metadata;
		const usage = withoutNulls(metadata.usage as Json);
		return { ...withoutNulls(metadata), usage };
	}

	/** A stopped run has zero usage; the New Agent always. */
	private usage(): DifyUsage {
		const { mode } = this.context;
		if (this.status === 'stopped' && this.script.stopped === undefined) {
			if (!workflowBased(mode)) return stoppedUsage();
			return this.text === '' ? unmeasured(noUsage('0.0')) : noUsage('0.0');
		}
		return this.script.usage ?? defaultUsage(mode);
	}

	private messageEnd(): Item {
		const { mode, messageId } = this.context;
		const files = this.script.files ?? (mode === 'advanced-chat' ? [] : null);
		return this.event('message_end', { id: messageId, metadata: this.streamedMetadata(), files });
	}

	private speech(): Item[] {
		if (!this.speaking) return [];
		const rest = (this.script.trailingAudio ?? []).map((audio) =>
			this.event('tts_message', { audio }),
		);
		return [...rest, this.event('tts_message_end', { audio: '' })];
	}

	private pause(forms: FormStep[]): Item[] {
		const { runId, createdAt, newId } = this.context;
		this.status = 'paused';
		const issued = forms.map((form): IssuedForm => {
			const token = form.token === undefined ? newId('form-token') : form.token;
			return {
				form,
				formId: form.formId ?? newId('form'),
				token,
				expiresAt: createdAt + (form.expiresIn ?? 3600),
			};
		});
		this.forms.push(...issued);
		const data = issued.map(({ form, formId, token, expiresAt }) => ({
			form_id: formId,
			node_id: form.nodeId,
			node_title: form.nodeTitle,
			form_content: form.content,
			inputs: form.inputs ?? [],
			actions: form.actions,
			display_in_ui: form.inWebApp ?? token !== null,
			form_token: token,
			resolved_default_values: form.defaults ?? {},
			expiration_time: expiresAt,
			approval_channels: ['console'],
		}));
		return [
			...data.map((each) => this.event('human_input_required', { data: each })),
			this.event('workflow_paused', {
				data: {
					workflow_run_id: runId,
					paused_nodes: forms.map(({ nodeId }) => nodeId),
					outputs: {},
					reasons: data.map((each) => ({
						TYPE: 'human_input_required',
						...without(each, 'display_in_ui'),
					})),
					status: 'paused',
					created_at: createdAt,
					elapsed_time: this.script.elapsed ?? 1.5,
					total_tokens: this.totalTokens(),
					total_steps: this.nodes,
				},
			}),
		];
	}
}

function withoutNulls(values: Json): Json {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

function wholeSeconds(from: number, elapsed: number): number {
	return from + Math.ceil(elapsed - 0.01);
}
