/** The walk for a sub-node: added from the connector of its root node, run, with a wrong credential, with the right one. */
import { NEVER, REJECTED_KEY } from './describe-screens';
import { Screens } from './screens';
import type { Named } from './screens';
import { MANUAL, spread, workflowOf } from './workflows';

/** A sub-node and the workflow that a person adds it to. */
export interface SubNodeScreen {
	/** As n8n names its credential. */
	credentialType: string;
	/** Label of the connector, such as "Chat Model". */
	connector: string;
	/** Behind a Manual Trigger, which starts the first: among them `ROOT`, without the sub-node. */
	nodes: (credentialFor: (type: string) => Promise<Named>) => Promise<Parts>;
	/** Whether the node has a required field, which n8n shows red until this chooses a value. Default: it has none. */
	choose?: (screens: Screens) => Promise<void>;
	/** What the notification says as long as nothing is chosen. */
	asAdded?: string;
	/** A part of what the root node shows at the end. */
	result: string;
}

type Parts = Parameters<typeof workflowOf>[1];

/** Name of the node that the sub-node serves. */
export const ROOT = 'Root';

/**
 * Defines a suite for a sub-node.
 *
 * @param type of the node, such as `localChatModel`
 */
export function describeSubNode(type: string, screen: SubNodeScreen): void {
	const { credentialType, connector, nodes, choose, asAdded = '', result } = screen;
	let open: Screens;

	beforeAll(async () => {
		open = await Screens.open(type);
	});
	afterAll(async () => await open.close());

	it('as added to its root node, with a wrong credential, with the right one', async () => {
		const { displayName } = open.description;
		const { get, openNode, closeNode } = open.editor;
		const right = await open.createCredential(displayName, credentialType);
		const wrong = await open.createWrongCredential(displayName, credentialType);
		const parts = await nodes(
			async (other) => await open.createCredential(`Other ${other}`, other),
		);
		await open.openNodes(
			spread(
				workflowOf(displayName, { Start: { ...MANUAL, to: [Object.keys(parts)[0]!] }, ...parts }),
			),
		);

		await open.addTo(ROOT, connector);
		// A list of n8n loads with the right one only.
		await open.chooseCredential(choose === undefined ? wrong : right);
		const labels = await open.labels();
		expect({ labels, redFields: await open.redFields() }).toEqual({ labels, redFields: 0 });
		expect(await open.clippedLabels()).toEqual([]);
		await open.picture(`${displayName} as added`);
		if (choose !== undefined) {
			await closeNode();
			await get('execute-workflow-button').first().click();
			await open.editor.page.getByText(asAdded).first().waitFor();
			await openNode(displayName);
			await choose(open);
			await open.chooseCredential(wrong);
		}
		await closeNode();

		await openNode(ROOT);
		expect((await open.run()).text).toMatch(REJECTED_KEY);
		expect(await open.toasts()).toMatch(REJECTED_KEY);
		await closeNode();

		await openNode(displayName);
		expect((await open.pane()).text).toMatch(REJECTED_KEY);
		await open.picture(`${displayName} with a wrong credential`);
		await open.chooseCredential(right);
		await closeNode();

		await openNode(ROOT);
		await open.run();
		// n8n shows the log of the sub-nodes after an error.
		await get('output-panel').getByTestId('radio-button-regular').click();
		await get('output-panel').getByText(result).first().waitFor();
		const { text } = await open.pane();
		expect(text).not.toMatch(NEVER);
		await closeNode();
	});
}
