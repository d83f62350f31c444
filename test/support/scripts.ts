import { path, url, vm } from './node';

const importNatively = vm.runInThisContext('(specifier) => import(specifier)', {
	importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as (specifier: string) => Promise<unknown>;

/**
 * One of the modules in `scripts/lib`, for tests. They are ES modules that run on the machine's own Node before
 * anything is installed; jest translates to CommonJS and cannot load those, so this goes past jest, to Node's own
 * loader.
 *
 * @param name file name without `.mjs`
 */
export async function loadScript<T>(name: string): Promise<T> {
	const file = path.resolve('scripts', 'lib', `${name}.mjs`);
	return (await importNatively(url.pathToFileURL(file).href)) as T;
}
