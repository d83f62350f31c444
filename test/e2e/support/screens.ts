/** What a person sees of an operation in the real editor: in the panel as added, after a run, with a wrong credential. */
import { NodeHelpers } from 'n8n-workflow';
import type { INode, INodeParameters, INodeProperties, INodeTypeDescription } from 'n8n-workflow';

import { startGoodServer } from '../../faults/good-server';
import type { GoodServer } from '../../faults/good-server';
import { PNG } from '../../simulators/media/sd-server';
import { everyOperation, withLowLimits } from '../../support/n8n/every-operation';
import type { FilledNode } from '../../support/n8n/every-operation';
import { isWhole, openEditor, TAKES_PICTURES, WINDOW } from './editor';
import type { Editor, Locator } from './editor';
import { theSharedN8n } from './playground';
import type { GateN8n, Workflow } from './playground';
import { until } from './until';
import { chatTrigger, spread, workflowOf } from './workflows';

/** What is visible of the output of a node. */
export interface Pane {
	/** The view that is open: Table, JSON, Binary, Schema; none for an error. */
	tab: string;
	/** The open branch of a node with several outputs. */
	branch: string;
	/** The visible text. */
	text: string;
}

/** An operation, and a node of it with valid parameters. */
export interface ScreenOperation {
	/** Node, resource and operation, such as "Local Llama text chat". */
	name: string;
	/** In n8n's panel of nodes, such as "Chat with a model". None if the node has no list of actions. */
	action?: string;
	filled: FilledNode;
	/** As n8n names it. */
	credentialType: string;
}

/** A credential, as nodes name it. */
export interface Named {
	id: string;
	name: string;
}

/** Names of the nodes that are filled in. */
export const FILLED = 'Filled in';
export const WITH_ERROR_OUTPUT = 'With an error output';
const TEXT = 'The llama keeps its wool.';
/** n8n's own entry in every list of operations, for HTTP Request. */
const CUSTOM_CALL = '__CUSTOM_API_CALL__';
/** What the output of a node shows before its first run. */
const NOT_RUN = /Execute step|Test this trigger/;
/** What n8n says beside an output, whether its rows are drawn or not. */
const SUCCESS = 'Node executed successfully';
/** The end of an output without its rows: the number of items, or the names of the branches. */
const BEFORE_ROWS = /(?:\d items?|Branch(?: \(\d+ items?\))?)$/;
/** Of the list of nodes, in which the result of a search appears after a moment. */
const POLLS_PER_SEARCH = 50;
/** In pixels: the height of a window with all fields of any panel. */
const ALL_FIELDS = 1300;
const WRONG_KEY = 'a-wrong-key';
/** The beginning of a WAV file. */
const WAV = Buffer.from('RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0', 'latin1');
const SHARED_ID = 'd0c5e7a1-7a40-4b0c-9d1e-5b2f8a6c7d90';

const toLocator = (value: string) => ({ __rl: true, mode: 'id', value });

/** The servers, the browser and the credentials of a suite. */
export class Screens {
	private credentialCount = 0;
	/** The credential that the server accepts. */
	private right: Named = { id: '', name: '' };

	private constructor(
		readonly n8n: GateN8n,
		readonly editor: Editor,
		readonly server: GoodServer,
		readonly description: INodeTypeDescription,
	) {}

	/** @param type of the node, such as `localLlama` */
	static async open(type: string): Promise<Screens> {
		const n8n = await theSharedN8n();
		const types = (await n8n.nodeTypes()) as unknown as INodeTypeDescription[];
		const description = types.find(({ name }) => name === `CUSTOM.${type}`)!;
		const [editor, server] = await Promise.all([
			openEditor(n8n),
			startGoodServer(({ headers }) =>
				String(headers.authorization).includes(WRONG_KEY) ? refusal : undefined,
			),
		]);
		return new Screens(n8n, editor, server, description);
	}

	async close(): Promise<void> {
		await this.editor.close();
		await this.server.close();
	}

	/** Every operation of the node. */
	operations(): ScreenOperation[] {
		const { description } = this;
		return everyOperation(description)
			.map(withLowLimits)
			.filter(({ name }) => !name.includes(CUSTOM_CALL))
			.map((filled) => ({
				name: filled.name,
				action: findAction(description, filled.parameters as INodeParameters),
				filled,
				credentialType: filled.credentials[0]!,
			}));
	}

	/**
	 * Opens a workflow with an item with a text, and behind another item, which has a file, the node twice: with valid
	 * parameters, and with an error output as well. Both have a wrong credential.
	 */
	async openWorkflow({ name, filled, credentialType }: ScreenOperation): Promise<void> {
		const wrong = await this.createWrongCredential(name, credentialType);
		this.right = await this.createCredential(name, credentialType);
		const node = {
			type: filled.type,
			typeVersion: filled.typeVersion,
			parameters: { ...filled.parameters, ...this.sharedParameters(filled) },
			credentials: { [credentialType]: wrong },
		};
		const { id } = await this.n8n.createWorkflow(
			spread(
				workflowOf(name, {
					Start: { type: 'n8n-nodes-base.manualTrigger', to: ['Text', 'File'] },
					Text: createSource({ json: { text: TEXT } }),
					File: {
						...createSource(createFileItem(filled.parameters.operation)),
						to: [FILLED, WITH_ERROR_OUTPUT],
					},
					[FILLED]: node,
					[WITH_ERROR_OUTPUT]: { ...node, onError: 'continueErrorOutput' },
				}),
			),
		);
		await this.editor.openWorkflow(id);
	}

	/**
	 * Puts the node as added behind a chat, and sends a message.
	 *
	 * @returns what the chat shows at the end
	 */
	async ask({ name, filled, credentialType }: ScreenOperation, message: string): Promise<string> {
		const { get, page, openWorkflow } = this.editor;
		const { resource, operation } = filled.parameters;
		const { id } = await this.n8n.createWorkflow(
			spread(
				workflowOf(`${name} in a chat`, {
					Chat: chatTrigger(`${name.toLowerCase().replaceAll(' ', '-')}-screen`, FILLED),
					[FILLED]: {
						type: filled.type,
						typeVersion: filled.typeVersion,
						parameters: {
							...(resource === undefined ? {} : { resource }),
							...(operation === undefined ? {} : { operation }),
						},
						credentials: { [credentialType]: await this.createCredential(name, credentialType) },
					},
				}),
			),
		);
		await openWorkflow(id);
		await get('workflow-chat-button').waitFor();
		// The browser remembers whether the chat is open.
		if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
		await get('chat-input').fill(message);
		await page.keyboard.press('Enter');
		await until(
			async () => (await get('logs-overview-status').allInnerTexts()).join(),
			(status) => /Success|Error/.test(status),
		);
		const bubbles = page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot');
		return (await bubbles.allInnerTexts()).join(' ').replace(/\s+/g, ' ').trim();
	}

	/** Adds the node from the panel, behind the item with a text, and opens it. */
	async add({ action, filled }: ScreenOperation): Promise<void> {
		const { get, node, page } = this.editor;
		await node('Text').getByTestId('canvas-handle-plus').click();
		await get('node-creator-search-bar').fill(this.description.displayName);
		await this.entry(this.description.displayName).click();
		const actions = get('node-creator').getByText(action ?? '', { exact: true });
		const panel = get('node-parameters');
		await panel.or(actions.first()).first().waitFor();
		if (action !== undefined && !(await panel.isVisible())) await actions.last().click();
		await panel.waitFor();
		const { service } = filled.parameters;
		if (service !== undefined) await this.choose('service', String(service));
		await this.correctCredential();
		await page.getByText('Fetching').waitFor({ state: 'hidden' });
	}

	/** Adds a trigger to an empty workflow, and opens it. */
	async addFirst(listed: string, action: string): Promise<void> {
		const { get, page } = this.editor;
		await page.goto(`${this.n8n.url}/workflow/new`);
		await get('canvas-add-button').getByTestId('canvas-plus-button').click();
		await get('node-creator-search-bar').fill(listed);
		await this.entry(listed).click();
		await get('node-creator').getByText(action, { exact: true }).click();
		await get('node-parameters').waitFor();
	}

	/** Opens a workflow of other nodes. */
	async openNodes(workflow: Workflow): Promise<void> {
		const { id } = await this.n8n.createWorkflow(workflow);
		await this.editor.openWorkflow(id);
	}

	/** Adds the node from a connector of another one, and opens it. */
	async addTo(root: string, connector: string): Promise<void> {
		const { get, node, page } = this.editor;
		const { displayName } = this.description;
		const input = node(root).getByTestId('canvas-node-input-handle');
		const searchBar = get('node-creator-search-bar');
		const search = async () => {
			await input.filter({ hasText: connector }).getByTestId('canvas-handle-plus').click();
			await searchBar.or(this.entry(displayName)).first().waitFor();
			// A short list has none.
			if (await searchBar.isVisible()) await searchBar.fill(displayName);
		};
		await search();
		let polls = 0;
		// A list that is still being drawn forgets what is searched for.
		await until(
			async () => {
				if (++polls % POLLS_PER_SEARCH === 0) {
					await page.keyboard.press('Escape');
					await search();
				}
				return await this.entry(displayName).isVisible();
			},
			(isListed) => isListed,
		);
		await this.entry(displayName).click();
		await get('node-parameters').waitFor();
	}

	/**
	 * Chooses the right credential in the open panel, as a person does after an error. n8n fills in the newest one, which
	 * may be that of another suite.
	 */
	async correctCredential(): Promise<void> {
		await this.chooseCredential(this.right);
	}

	/** Chooses a credential in the open panel. */
	async chooseCredential({ name }: Named): Promise<void> {
		const { get, page } = this.editor;
		const select = get('node-credentials-select').locator('input').first();
		await select.waitFor();
		if ((await select.inputValue()) === name) return;
		await select.click();
		const option = page.getByRole('option', { name });
		await option
			.or(get('node-credentials-select-item').filter({ hasText: name }))
			.first()
			.click();
		await until(
			async () => await select.inputValue(),
			(value) => value === name,
		);
	}

	/** Chooses an entry of a list in the open panel, by its value. */
	async choose(parameter: string, value: string): Promise<void> {
		const { options = [] } = this.description.properties.find(({ name }) => name === parameter)!;
		const entry = options.find((option) => 'value' in option && option.value === value)!;
		await this.chooseLabel(parameter, entry.name);
	}

	/** Chooses an entry of a list in the open panel, by its label. */
	async chooseLabel(parameter: string, label: string): Promise<void> {
		const { get, page } = this.editor;
		const list = get(`parameter-input-${parameter}`).locator('input').first();
		if ((await list.inputValue()) === label) return;
		await list.click();
		await page.getByRole('option', { name: label }).filter({ visible: true }).first().click();
		await until(
			async () => await list.inputValue(),
			(chosen) => chosen === label,
		);
	}

	/** Labels of the visible fields, in their order. */
	async labels(): Promise<string[]> {
		const labels = this.editor
			.get('node-parameters')
			.getByTestId('input-label')
			.filter({ visible: true });
		return (await labels.allInnerTexts()).map((text) => text.trim().split('\n')[0]!);
	}

	/** Labels that do not have enough room in the open panel. */
	async clippedLabels(): Promise<string[]> {
		const labels = this.editor
			.get('node-parameters')
			.getByTestId('input-label')
			.filter({ visible: true });
		const clipped: string[] = [];
		for (const label of await labels.all())
			if (!(await isWhole(label))) clipped.push(await label.innerText());
		return clipped;
	}

	/** Writes a screenshot of the window, so high that all fields of the open panel are in it. */
	async picture(name: string): Promise<void> {
		if (!TAKES_PICTURES) return;
		const { page, picture } = this.editor;
		await page.setViewportSize({ ...WINDOW, height: ALL_FIELDS });
		await picture(`panels/${name.replaceAll(' ', '-')}`);
		await page.setViewportSize(WINDOW);
	}

	/** Number of fields that are marked as wrong. */
	async redFields(): Promise<number> {
		return await this.editor.page
			.locator('.node-settings')
			.locator('[data-test-id="parameter-issues"], .has-issues')
			.filter({ visible: true })
			.count();
	}

	/** Presses the button of the open node, and reads what its output shows. */
	async run(): Promise<Pane> {
		const { get, page } = this.editor;
		const output = get('output-panel');
		const finished = page.waitForResponse(
			(response) => response.url().includes('/run') && response.request().method() === 'POST',
		);
		const refusals = page.getByText('Workflow execution cannot start');
		const refusalsBefore = await refusals.count();
		await get('node-execute-button').click();
		await finished;
		// What n8n has started, or refuses to start, is drawn a moment after its response.
		await until(
			async () => ({
				hasNotRun: await output.getByText(NOT_RUN).first().isVisible(),
				refusals: await refusals.count(),
			}),
			(seen) => !seen.hasNotRun || seen.refusals > refusalsBefore,
		);
		const busy = page
			.getByText(/Executing node|Waiting for/)
			.or(page.getByTestId('stop-execution-button'));
		await busy.first().waitFor({ state: 'hidden' });
		await output
			// The last is of a node with sub-nodes, whose log is shown.
			.getByText(/\d+ items?|No output data|Error|Started at/)
			.filter({ visible: true })
			.first()
			.waitFor();
		// The rows are drawn after their number.
		return await until(
			async () => await this.pane(),
			({ text }) => !BEFORE_ROWS.test(text.replace(SUCCESS, '').trim()),
		);
	}

	/** Opens a branch of the output of the open node, by its label. */
	async openBranch(label: string): Promise<Pane> {
		await this.editor.get('output-panel').getByText(label).click();
		// The rows are drawn after the labels.
		return await until(
			async () => await this.pane(),
			({ text }) => !text.trim().endsWith(label),
		);
	}

	/** What the output of the open node shows. */
	async pane(): Promise<Pane> {
		const output = this.editor.get('output-panel');
		const read = async (part: Locator) => (await part.allInnerTexts()).join(' ').trim();
		return {
			tab: await read(output.locator('[data-test-id^="radio-button-"][aria-checked="true"]')),
			branch: await read(output.locator('.tabs .active, [class*="activeTab"]')),
			text: (await output.innerText()).replace(/\s+/g, ' '),
		};
	}

	/** Texts of the notifications that are shown. */
	async toasts(): Promise<string> {
		const shown = this.editor.page.locator('.el-notification').filter({ visible: true });
		return (await shown.allInnerTexts()).join(' ').replace(/\s+/g, ' ');
	}

	private entry(name: string): Locator {
		const { get, page } = this.editor;
		return get('node-creator')
			.getByTestId('item-iterator-item')
			.filter({ has: page.getByText(name, { exact: true }) })
			.first();
	}

	/**
	 * A credential for the server.
	 *
	 * @param name of the operation, by which the server answers
	 * @param type as n8n names it
	 */
	async createCredential(name: string, type: string, apiKey = 'a-key'): Promise<Named> {
		const isDify = type === 'difyApi';
		const keyType = this.description.name.includes('Knowledge') ? 'knowledge' : 'app';
		const own = isDify ? { keyType, ignoreSslIssues: false } : {};
		const { port } = new URL(this.server.at(name));
		const label = `${name} ${port} ${++this.credentialCount}`;
		const baseUrl = `${this.server.at(name)}${isDify ? '/v1' : ''}`;
		const data = { baseUrl, apiKey, ...own };
		const { id } = await this.n8n.createCredential({ name: label, type, data });
		return { id, name: label };
	}

	/** A credential that the server refuses. */
	async createWrongCredential(name: string, type: string): Promise<Named> {
		return await this.createCredential(name, type, WRONG_KEY);
	}

	private sharedParameters({ parameters }: FilledNode): object {
		const { resource, model, difyDatasetId } = parameters;
		return {
			...(model !== undefined && resource !== 'model' && { model: toLocator('a-model') }),
			...(difyDatasetId !== undefined &&
				resource !== 'knowledgeBase' && { difyDatasetId: toLocator(SHARED_ID) }),
		};
	}
}

const refusal = {
	status: 401,
	headers: { 'content-type': 'application/json' },
	body: JSON.stringify({
		code: 'unauthorized',
		message: 'Access token is invalid',
		error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 },
	}),
};

/** A Code node that returns an item. */
const createSource = (item: object) => ({
	type: 'n8n-nodes-base.code',
	typeVersion: 2,
	parameters: { jsCode: `return [${JSON.stringify(item)}];` },
});

/** The files of operations that do not read texts. */
const FILES: Readonly<Record<string, object>> = {
	transcribe: { data: WAV.toString('base64'), mimeType: 'audio/wav', fileName: 'call.wav' },
	edit: { data: PNG, mimeType: 'image/png', fileName: 'llama.png' },
};

function createFileItem(operation: unknown): object {
	const data = FILES[String(operation)] ?? {
		data: Buffer.from(TEXT).toString('base64'),
		mimeType: 'text/plain',
		fileName: 'llama.txt',
	};
	return { json: { text: TEXT }, binary: { data } };
}

/** The entry of an operation in n8n's list of actions. */
function findAction(
	description: INodeTypeDescription,
	parameters: INodeParameters,
): string | undefined {
	const isShown = (property: INodeProperties) =>
		property.name === 'operation' &&
		NodeHelpers.displayParameter(parameters, property, { typeVersion: 1 } as INode, description);
	const options = description.properties.find(isShown)?.options ?? [];
	const option = options.find((one) => 'value' in one && one.value === parameters.operation);
	return option !== undefined && 'action' in option ? option.action : undefined;
}
