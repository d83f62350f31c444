/** The walk for a trigger: added as the first node, run, with a wrong credential, with the right one. */
import { NEVER, REJECTED_KEY } from './describe-screens';
import { Screens } from './screens';

/** What a person sees of a trigger. */
export interface TriggerScreen {
	/** As n8n names its credential. */
	credentialType: string;
	/** Its name in n8n's panel of nodes, which leaves out "Trigger" and joins it with the node of the same name. */
	listed: string;
	/** The chosen action of the panel. */
	action: string;
	/** A part of the output with a wrong credential. Default: the server's own sentence. */
	withWrongCredential?: string | RegExp;
	/** A part of the first row with the right one. */
	result: string;
}

/**
 * Defines a suite for a trigger.
 *
 * @param type of the node, such as `difyTrigger`
 */
export function describeTrigger(type: string, screen: TriggerScreen): void {
	const { credentialType, listed, action, withWrongCredential = REJECTED_KEY, result } = screen;
	let open: Screens;

	beforeAll(async () => {
		open = await Screens.open(type);
	});
	afterAll(async () => await open.close());

	it('as added to an empty workflow, with a wrong credential, with the right one', async () => {
		const { displayName } = open.description;
		const right = await open.createCredential(displayName, credentialType);
		const wrong = await open.createWrongCredential(displayName, credentialType);
		await open.addFirst(listed, action);
		await open.chooseCredential(wrong);
		const labels = await open.labels();
		expect({ labels, redFields: await open.redFields() }).toEqual({ labels, redFields: 0 });
		expect(await open.clippedLabels()).toEqual([]);
		expect((await open.run()).text).toMatch(withWrongCredential);
		await open.picture(`${displayName} with a wrong credential`);

		await open.chooseCredential(right);
		const { text } = await open.run();
		expect(text).toContain(result);
		expect(text).not.toMatch(NEVER);
		await open.picture(`${displayName} with the right credential`);
	});
}
