import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';

describe('the description', () => {
	const { description } = new ServerHealth();

	it('has two named outputs and is usable as a tool', () => {
		expect(description).toMatchObject({
			outputs: [
				{ type: 'main', displayName: 'Healthy' },
				{ type: 'main', displayName: 'Unhealthy' },
			],
			usableAsTool: true,
		});
	});

	it('as a tool, its connector gets the name of n8n, which replaces only the outputs', () => {
		expect(description.outputNames).toBeUndefined();
	});

	it.each([
		['modelServer', 'localLlamaApi'],
		['dify', 'difyApi'],
	])('asks for one credential: %s wants %s', (service, name) => {
		const needed = description.credentials!.filter(
			({ displayOptions: { show, hide } = {} }) =>
				(show?.service ?? [service]).includes(service) && !(hide?.service ?? []).includes(service),
		);
		expect(needed).toMatchObject([{ name, required: true }]);
	});
});
