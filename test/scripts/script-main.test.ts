import { loadScript } from '../support/scripts';

it('an outdated Node is named, with a suggestion', async () => {
	const { nodeProblem } = await loadScript<{ nodeProblem(version: string): string | undefined }>(
		'script-main',
	);
	expect(nodeProblem('v18.20.8')).toBe(
		'Node 20 or newer is needed, and this is v18.20.8. Install the LTS version of https://nodejs.org/en/download (or: nvm install --lts).',
	);
	for (const version of ['v20.0.0', 'v24.21.0', 'v100.1.0'])
		expect(nodeProblem(version)).toBeUndefined();
});
