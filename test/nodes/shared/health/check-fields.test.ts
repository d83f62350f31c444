import { run, shape, sim, useServer } from '../../ServerHealth/run-node';

useServer();

describe('the fields of a check', () => {
	it.each([
		[{ minContext: ' 999999 ' }, 'contextBelowExpected'],
		[{ model: 7 }, 'expectedModelMissing'],
	])('an expectation, from an expression with another type: %j', async (expectations, id) => {
		await sim();
		const outputs = await run({ parameters: { expectations } });
		expect(
			outputs
				.flat()
				.flatMap(({ json }) =>
					(json.findings as Array<{ id: string }>).map((finding) => finding.id),
				),
		).toContain(id);
	});

	it.each([[null, '', undefined].map((minContext) => ({ minContext, model: minContext }))])(
		'empty expectations',
		async (...needs) => {
			await sim();
			for (const expectations of needs)
				expect(shape(await run({ parameters: { expectations } }))).toEqual([
					[['healthy', { item: 0 }]],
					[],
				]);
		},
	);
});
