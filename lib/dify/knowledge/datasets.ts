/** Knowledge bases, which Dify's API calls datasets. */
import type { ListEndpoint } from '../pages';

/** All knowledge bases of the workspace: without `include_all`, those of other members are missing. */
export function buildDatasetList(keyword = ''): ListEndpoint {
	return { path: '/datasets', query: { keyword, include_all: 'true' } };
}
