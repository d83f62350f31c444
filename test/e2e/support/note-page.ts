import { openEditor, type Editor, type Locator, type Page } from './editor';
import { example, type Wiring } from './examples';
import type { Execution, Workflow } from './playground';
import { theN8n } from './run-examples';
import { until } from './until';

/** A file that is uploaded, or a text that is typed or chosen. */
export type FormField = string | { name: string; mimeType: string; buffer: Buffer };

/** An example workflow in the editor, with what a person does there as its sticky note says. */
export interface NotePage {
	readonly editor: Editor;
	/** What was clicked so far, in the editor's words. */
	readonly clicks: string[];
	/** Opens the example with the credentials and models that its note asks for. */
	open(name: string, wiring?: Wiring): Promise<void>;
	/** Presses *Execute workflow*, or the button of one trigger. */
	execute(trigger?: string): Promise<Execution>;
	/** Opens the chat, if it is closed, and asks. */
	ask(question: string): Promise<{ execution: Execution; answer: string }>;
	/** Presses *Execute workflow* and fills in the form that opens. @returns the text of its last page */
	submit(...fields: FormField[]): Promise<{ execution: Execution; page: string }>;
	/** The same, where the workflow has several triggers. */
	submitAt(
		trigger: string,
		...fields: FormField[]
	): Promise<{ execution: Execution; page: string }>;
	publish(): Promise<void>;
	/** Waits for the next execution of the open workflow. */
	nextExecution(): Promise<Execution>;
	/** The notifications and the marks of nodes, as the editor shows them. */
	shown(): Promise<string>;
}

/** How long a button may take to become clickable, and a form to open. */
const CLICK_MS = 30_000;
/** How long a run may take. */
const RUN_MS = 120_000;

export async function openNotePage(): Promise<NotePage> {
	const editor = await openEditor(theN8n());
	const { page, get, node } = editor;
	const clicks: string[] = [];
	const seen = new Set<string>();
	let workflow: Workflow & { id: string };

	const click = async (what: Locator, label: string) => {
		clicks.push(label);
		await what.click({ timeout: CLICK_MS });
	};

	const ownExecutions = async () =>
		(await theN8n().listExecutions({ workflowId: workflow.id })).filter(
			({ mode }) => mode !== 'integrated',
		);

	const nextExecution = async () => {
		const [latest] = await until(
			async () => (await ownExecutions()).filter(({ id }) => !seen.has(id)),
			([first]) => first !== undefined && !['new', 'running'].includes(first.status),
			RUN_MS,
		);
		if (latest!.status !== 'waiting') seen.add(latest!.id);
		return await theN8n().getExecution(latest!.id);
	};

	const press = async (trigger?: string) => {
		if (trigger === undefined)
			return await click(get('execute-workflow-button').first(), 'Execute workflow');
		await node(trigger).hover();
		await click(
			get(`execute-workflow-button-${trigger}`),
			`Execute workflow at the trigger ${trigger}`,
		);
	};

	const submitAt = async (trigger: string | undefined, fields: FormField[]) => {
		const opened = page.waitForEvent('popup', { timeout: CLICK_MS * 3 });
		await press(trigger);
		const form = await opened;
		await fillIn(form, fields);
		clicks.push('Submit, in the form that opened');
		await form.getByRole('button', { name: /submit/i }).click({ timeout: CLICK_MS });
		const execution = await nextExecution();
		await form.waitForTimeout(2000);
		const text = (await form.locator('body').innerText()).replace(/\s+/g, ' ').trim();
		await form.close();
		return { execution, page: text };
	};

	return {
		editor,
		clicks,
		open: async (name, wiring = {}) => {
			const { nodes } = example(name);
			const wired = example(name, wiring);
			// The chat stays as it is delivered: the editor's own chat needs no public address.
			const chats = new Map(nodes.map((each) => [each.name, each.parameters]));
			workflow = await theN8n().createWorkflow({
				...wired,
				nodes: wired.nodes.map((each) =>
					each.type.endsWith('.chatTrigger')
						? { ...each, parameters: chats.get(each.name)! }
						: each,
				),
			});
			clicks.length = 0;
			seen.clear();
			await editor.openWorkflow(workflow.id);
		},
		execute: async (trigger) => {
			await press(trigger);
			return await nextExecution();
		},
		ask: async (question) => {
			await get('canvas-node').first().waitFor();
			const input = get('chat-input');
			if (!(await input.isVisible())) await click(get('workflow-chat-button').first(), 'Open chat');
			clicks.push(`typed "${question.slice(0, 60)}"`);
			await input.fill(question);
			await page.keyboard.press('Enter');
			const execution = await nextExecution();
			const bubbles = page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
			// While n8n waits for the answer, the last one is empty.
			await bubbles.last().filter({ hasText: /\S/ }).waitFor({ timeout: CLICK_MS });
			await page.waitForTimeout(500);
			return { execution, answer: (await bubbles.last().innerText()).trim() };
		},
		submit: async (...fields) => await submitAt(undefined, fields),
		submitAt: async (trigger, ...fields) => await submitAt(trigger, fields),
		publish: async () => {
			await click(get('workflow-open-publish-modal-button').first(), 'Publish');
			const confirm = get('workflow-publish-button');
			await click(confirm, 'Publish, in the dialog');
			await confirm.waitFor({ state: 'hidden', timeout: CLICK_MS });
		},
		nextExecution,
		shown: async () => {
			const toasts = await page.locator('.el-notification').allInnerTexts();
			const green = await page.locator('[data-test-id*="canvas-node-status-success"]').count();
			const red = await page.locator('[data-test-id*="canvas-node-status-mark-error"]').count();
			return [
				`${green} nodes green, ${red} red`,
				...toasts.map((text) => text.replace(/\s+/g, ' ')),
			]
				.join('; ')
				.trim();
		},
	};
}

async function fillIn(form: Page, fields: readonly FormField[]): Promise<void> {
	for (const [index, field] of fields.entries()) {
		const input = form.locator(`[name="field-${index}"]`).first();
		await input.waitFor({ state: 'attached', timeout: CLICK_MS });
		if (typeof field !== 'string') await input.setInputFiles(field);
		else if ((await input.evaluate((element: { tagName: string }) => element.tagName)) === 'SELECT')
			await input.selectOption(field);
		else await input.fill(field);
	}
}
