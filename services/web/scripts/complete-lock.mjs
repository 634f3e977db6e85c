// Adds the optional packages for other platforms to package-lock.json where npm left them out.
//
// npm writes only those it can find, and some mirrors of the registry carry a package for one platform and not for
// the others. `npm ci` then refuses the lock file. Run after every change of dependencies.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32']

/** The platform that a name such as `@rollup/rollup-linux-x64-musl` stands for. */
function platformOf(name) {
  const words = name.split('/').at(-1).split('-')
  const platform = {}
  const cpu = words.find((word) => processors.includes(word))
  const os = words.find((word) => systems.includes(word))
  if (cpu) platform.cpu = [cpu]
  if (os) platform.os = [os]
  if (words.some((word) => word.startsWith('musl'))) platform.libc = ['musl']
  else if (words.some((word) => word.startsWith('gnu')) && os === 'linux') platform.libc = ['glibc']
  return platform
}

let added = 0
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`
    if (lock.packages[place] || !/^\d/.test(version)) continue
    lock.packages[place] = { version, ...platformOf(name), dev: true, license: 'MIT', optional: true }
    added += 1
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} packages for other platforms added`)
