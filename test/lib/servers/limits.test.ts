import { suggestModels } from '../../../lib/servers/models';
import { testLimit } from '../../support/limits';

testLimit('lib/servers/models.ts#MAX_NAMES', {
	limit: 10,
	outcome: (count) =>
		suggestModels(
			Array.from({ length: count }, (_none, at) => `m${at}`),
			undefined,
		).includes('more'),
	within: false,
	beyond: true,
});
