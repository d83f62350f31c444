import type { DifyAppMode } from '../../../lib/dify/types';
import type { FormStep, Item, Json, NodeStep, Script, Step, ThoughtRound } from './types';
import { without } from './http';
import { defaultUsage, stoppedUsage, workflowBased } from './plain';

export interface RunContext {
	mode: DifyAppMode;
	conversationId: string;
	messageId: string;
	taskId: string;
	runId: string;
	workflowId: string;
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

type Ending = 'done' | 'failed' | 'stopped';

interface RunError {
	code?: string;
	status: number;
	message: string | null;
}

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

	constructor(
		readonly script: Script,
		private readonly context: RunContext,
	) {}

	opening(): Item[] {
		if (!workflowBased(this.context.mode)) return [];
		const { refuse } = this.script;
		return [
			{ kind: 'ping' },
			...(refuse === undefined ? [this.workflowStarted()] : this.fail(refuse)),
		];
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
	resumption({ form, action, inputs }: { form: FormStep; action: string; inputs: Json }): Item[] {
		this.status = 'running';
		return [
			this.workflowStarted('resumption'),
			this.event('human_input_form_filled', {
				data: {
					node_id: form.nodeId,
					node_title: form.nodeTitle,
					action_id: action,
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
		if ('text' in step) return this.say(step.text);
		if ('replace' in step) {
			this.text = step.replace;
			this.stored = [step.replace];
			return [this.event('message_replace', { answer: step.replace, reason: 'output_moderation' })];
		}
		if ('file' in step) return [this.file(step.file)];
		if ('node' in step) return [this.nodeStarted(step.node), this.nodeFinished(step.node)];
		if ('nodeStart' in step) return [this.nodeStarted(step.nodeStart)];
		if ('nodeEnd' in step) return [this.nodeFinished(step.nodeEnd)];
		if ('round' in step) return this.round(step.round);
		if ('emit' in step) return [this.event(step.emit, step.fields)];
		if ('pause' in step) return this.pause(step.pause);
		if ('error' in step) return this.fail(step.error);
		if ('wait' in step) return [{ kind: 'wait', for: step.wait }];
		return [{ kind: 'raw', raw: step.raw }];
	}

	/** Events of the script's end, or of a stop. */
	ending(how: Ending = this.usualEnding()): Item[] {
		const { mode, messageId: id } = this.context;
		if (workflowBased(mode)) {
			const hasMessage = mode === 'advanced-chat' && how === 'done';
			const end = hasMessage ? [this.messageEnd()] : [];
			return [...end, this.workflowFinished(how)];
		}
		this.settle(how);
		const isComplete = mode === 'agent' && this.text !== '';
		const closing = isComplete ? [this.event('message', { id, answer: this.text })] : [];
		return [...closing, this.messageEnd()];
	}

	private usualEnding(): Ending {
		if (this.script.stopped !== undefined) return 'stopped';
		return this.script.fail === undefined ? 'done' : 'failed';
	}

	private fail(error: RunError): Item[] {
		this.status = 'failed';
		this.error = error.message ?? '';
		return [this.errorEvent(error)];
	}

	/** Never has a task ID; without a code it has no ID at all, since it comes from a worker (docs/protocols/dify.md 3.7). */
	private errorEvent({ code, status, message }: RunError): Item {
		if (code === undefined) return { kind: 'event', event: { event: 'error', message, status } };
		const ids = without(this.envelope(), 'task_id');
		return { kind: 'event', event: { event: 'error', ...ids, code, message, status } };
	}

	private envelope(): Json {
		const { mode, conversationId, messageId, createdAt, taskId, runId } = this.context;
		if (mode === 'workflow') return { workflow_run_id: runId, task_id: taskId };
		const ids = { message_id: messageId, created_at: createdAt, task_id: taskId };
		return mode === 'completion' ? ids : { conversation_id: conversationId, ...ids };
	}

	private event(name: string, own: Json): Item {
		// Workflow events of a chatflow have the run ID outside `data` too (docs/protocols/dify.md 3.2, 3.3).
		const isOfWorkflow = this.context.mode === 'advanced-chat' && 'data' in own;
		const run = isOfWorkflow ? { workflow_run_id: this.context.runId } : {};
		return { kind: 'event', event: { event: name, ...this.envelope(), ...run, ...own } };
	}

	private say(text: string): Item[] {
		const { mode, messageId } = this.context;
		this.stored.push(text);
		this.text += text;
		if (mode === 'workflow') return [this.event('text_chunk', { data: { text } })];
		const isAgent = mode === 'agent' || mode === 'agent-chat';
		return [this.event(isAgent ? 'agent_message' : 'message', { id: messageId, answer: text })];
	}

	private file(file: { id?: string; type: string; url: string }): Item {
		const record = {
			id: file.id ?? this.context.newId('message-file'),
			type: file.type,
			belongs_to: 'assistant',
			url: file.url,
		};
		this.assistantFiles.push(record);
		return this.event('message_file', record);
	}

	/** The first event has only the ID: Dify reads the thought from its database when it sends the event. */
	private round({ chunks, tool, files = [] }: ThoughtRound): Item[] {
		const shell = {
			id: this.context.newId('thought'),
			position: this.thoughts.length + 1,
			thought: '',
			observation: '',
			tool: '',
			tool_labels: {},
			tool_input: '',
			message_files: [] as unknown[],
		};
		const items = [this.event('agent_thought', shell)];
		if (this.thoughts.length > 0) this.stored.push('\n');
		for (const chunk of chunks) items.push(...this.say(chunk));
		let last = { ...shell, thought: chunks.join('') };
		if (tool !== undefined) {
			const { name, input, label = {}, observation } = tool;
			last = { ...last, tool: name, tool_labels: { [name]: label }, tool_input: input };
			items.push(this.event('agent_thought', last));
			const sent = files.map((file) => this.file(file));
			items.push(...sent);
			const ids = sent.map((item) => (item.kind === 'event' ? item.event.id : undefined));
			last = { ...last, observation, message_files: ids };
		}
		items.push(this.event('agent_thought', last));
		this.thoughts.push(last);
		return items;
	}

	private workflowStarted(reason = 'initial'): Item {
		const { runId, workflowId, createdAt } = this.context;
		const data = { id: runId, workflow_id: workflowId, inputs: {}, created_at: createdAt, reason };
		return this.event('workflow_started', { data });
	}

	private nodeStarted(node: NodeStep): Item {
		this.nodes++;
		this.executions.set(node.id, node.executionId ?? this.context.newId('execution'));
		return this.event('node_started', {
			data: { ...this.nodeHead(node), inputs: null, created_at: this.context.createdAt },
		});
	}

	private nodeHead({ id, type = 'code', title = id, iterationId, loopId }: NodeStep): Json {
		return {
			id: this.executions.get(id) ?? this.context.newId('execution'),
			node_id: id,
			node_type: type,
			title,
			// Dify does not count nodes.
			index: 1,
			iteration_id: iterationId ?? null,
			loop_id: loopId ?? null,
		};
	}

	private nodeFinished(node: NodeStep): Item {
		const { createdAt } = this.context;
		return this.event('node_finished', {
			data: {
				...this.nodeHead(node),
				inputs: {},
				process_data: {},
				outputs: node.outputs ?? {},
				status: node.status ?? 'succeeded',
				error: node.error ?? null,
				elapsed_time: node.elapsed ?? 0.01,
				execution_metadata: null,
				created_at: createdAt,
				finished_at: createdAt + 1,
				files: node.files ?? [],
			},
		});
	}

	private settle(how: Ending, reason?: string): void {
		const good = (this.script.exceptions ?? 0) > 0 ? 'partial-succeeded' : 'succeeded';
		this.status = how === 'done' ? good : how;
		this.error = reason;
	}

	private workflowFinished(how: Ending): Item {
		const { mode, runId, workflowId, createdAt } = this.context;
		const { fail, stopped, files = [], outputs, elapsed = 1.5, exceptions = 0 } = this.script;
		const reasons = {
			done: undefined,
			failed: fail,
			stopped: stopped ?? 'Aborted: User requested stop',
		};
		this.settle(how, reasons[how]);
		const usual = mode === 'workflow' ? { text: this.text } : { answer: this.text, files };
		this.outputs = outputs ?? (how === 'done' ? usual : {});
		return this.event('workflow_finished', {
			data: {
				id: runId,
				workflow_id: workflowId,
				status: this.status,
				outputs: this.outputs,
				error: this.error ?? null,
				elapsed_time: elapsed,
				total_tokens: this.totalTokens(),
				total_steps: this.script.totalSteps ?? this.nodes,
				created_at: createdAt,
				finished_at: createdAt + Math.ceil(elapsed),
				exceptions_count: exceptions,
				files,
			},
		});
	}

	private totalTokens(): number {
		return this.script.totalTokens ?? this.script.usage?.total_tokens ?? 0;
	}

	/** A stopped run has zero usage. */
	private messageEnd(): Item {
		const { mode, messageId: id } = this.context;
		const { usage = defaultUsage(), resources = [], stopped } = this.script;
		const isStopped = this.status === 'stopped' && stopped === undefined;
		const metadata = {
			retriever_resources: resources,
			usage: isStopped ? stoppedUsage() : usage,
		};
		const files = this.script.files ?? (mode === 'advanced-chat' ? [] : null);
		return this.event('message_end', { id, metadata, files });
	}

	private pause(forms: FormStep[]): Item[] {
		const { runId, createdAt, newId } = this.context;
		this.status = 'paused';
		const issued = forms.map((form): IssuedForm => ({
			form,
			formId: form.formId ?? newId('form'),
			token: form.token === undefined ? newId('form-token') : form.token,
			expiresAt: createdAt + 3600,
		}));
		this.forms.push(...issued);
		const data = issued.map(({ form, formId, token, expiresAt }) => ({
			form_id: formId,
			node_id: form.nodeId,
			node_title: form.nodeTitle,
			form_content: form.content,
			inputs: form.inputs ?? [],
			actions: form.actions,
			display_in_ui: token !== null,
			form_token: token,
			resolved_default_values: form.defaults ?? {},
			expiration_time: expiresAt,
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
					elapsed_time: 1.5,
					total_tokens: this.totalTokens(),
					total_steps: this.nodes,
				},
			}),
		];
	}
}
