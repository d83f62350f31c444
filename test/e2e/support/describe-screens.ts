/** The same walk for every operation of a node: added from the panel, run, with a wrong credential, with a file, failing. */
import process from 'node:process';
import { FILLED, Screens, WITH_ERROR_OUTPUT } from './screens';
import type { Pane } from './screens';

/** What a person sees of one operation. */
export interface Screen {
	/** The expression that its main field has as added. Default: the field is empty, or there is none. */
	reads?: string;
	/** Shown when it is run as added: a part of the error, of the first row or, if n8n does not start it, of the notification. */
	asAdded: string;
	/** Shown when everything is filled in: a part of the first row, or of the file's entry. Default: an ID of the server. */
	result?: string;
	/** Whether the result is a file, which n8n then shows first. Default: it shows fields, whatever file went in. */
	isFile?: boolean;
	/** What a chat shows at the end if the node as added is behind it. Default: it is not put there. */
	chat?: string;
	/** Whether a refused key is a result of the operation, which succeeds. Default: it is an error. */
	isRefusalResult?: boolean;
	/** Whether `npm run test:e2e` walks through it. Otherwise only `npm run test:full` does. */
	isInGate?: boolean;
}

/** Whether all operations are walked through: `npm run test:e2e` takes some. */
const isEvery = process.env.EVERY_OPERATION === '1';

/** The servers' own sentences. */
export const REJECTED_KEY = /Invalid API Key|Access token is invalid/;
/** What no pane and no notification shows: an object as text, or n8n's own words for what the node can say better. */
export const NEVER = /\[object Object\]|undefined|NaN|Field ".*" is required|No response received/;

/** A part of all IDs that the server returns. */
const ANY_ID = '-7a40-4b0c-9d1e-5b2f8a6c7d90';

/**
 * Defines a suite for a node.
 *
 * @param type of the node, such as `localLlama`
 * @param screens by operation: node, resource and operation
 */
export function describeScreens(type: string, screens: Readonly<Record<string, Screen>>): void {
	const rows = Object.entries(screens)
		.filter(([, { isInGate = false }]) => isEvery || isInGate)
		.map(([name, screen]) => ({ name, ...screen }));
	let open: Screens;

	beforeAll(async () => {
		open = await Screens.open(type);
	});
	afterAll(async () => await open.close());

	it('every operation of the node has a row', () => {
		expect(open.operations().map(({ name }) => name)).toEqual(Object.keys(screens));
	});

	it.each(rows)(
		'$name: as added, with a wrong credential, with the right one and a file, with an error output',
		async ({
			name,
			reads = '',
			asAdded,
			result = ANY_ID,
			isFile = false,
			isRefusalResult = false,
		}) => {
			const { openNode, closeNode } = open.editor;
			const operation = open.operations().find((one) => one.name === name)!;
			await open.openWorkflow(operation);

			await open.add(operation);
			const labels = await open.labels();
			expect({ redFields: await open.redFields(), labels }).toEqual({ redFields: 0, labels });
			expect(await open.clippedLabels()).toEqual([]);
			// What nobody has to set comes last.
			expect(labels).toEqual([
				...labels.filter((label) => label !== 'Options'),
				...labels.filter((label) => label === 'Options'),
			]);
			const panel = await open.editor.get('node-parameters').innerText();
			expect({ panel }).toEqual({ panel: expect.stringContaining(reads) as string });
			const added = await open.run();
			const toasts = await open.toasts();
			expect({ seen: `${added.text} ${toasts}` }).toEqual({
				seen: expect.stringContaining(asAdded) as string,
			});
			expect(`${added.text} ${toasts}`).not.toMatch(NEVER);
			await open.picture(`${name} as added`);
			await closeNode();

			await openNode(FILLED);
			expectPane(await open.run(), { text: REJECTED_KEY });
			if (!isRefusalResult) expect(await open.toasts()).toMatch(REJECTED_KEY);
			await open.correctCredential();
			expectPane(await open.run(), { text: result, isFile });
			await open.picture(`${name} filled in`);
			await closeNode();
			if (isRefusalResult) return;

			await openNode(WITH_ERROR_OUTPUT);
			await open.run();
			const errorBranch = await open.openBranch('Error Branch (1 item)');
			expectPane(errorBranch, { text: REJECTED_KEY, isFile: false });
			await closeNode();
		},
	);

	const chats = rows.flatMap(({ name, chat }) => (chat === undefined ? [] : [{ name, chat }]));
	if (chats.length > 0)
		it.each(chats)('$name: as added behind a chat', async ({ name, chat }) => {
			const operation = open.operations().find((one) => one.name === name)!;
			const shown = await open.ask(operation, 'What is a llama?');
			expect(shown).toContain(chat);
			expect(shown).not.toMatch(NEVER);
		});
}

function expectPane(
	{ tab, text }: Pane,
	expected: { text: string | RegExp; isFile?: boolean },
): void {
	expect(text).toMatch(expected.text);
	expect(text).not.toMatch(NEVER);
	if (expected.isFile !== undefined)
		expect({ tab, isFile: tab === 'Binary' }).toEqual({ tab, isFile: expected.isFile });
}
