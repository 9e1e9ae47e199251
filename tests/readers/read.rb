# Ruby's standard libraries.
require "fileutils"
require "net/http"
require "rubygems/package"
require "zlib"

method, file = ARGV
$stdout.binmode

case method
when "GzipReader" then Zlib::GzipReader.open(file) { |reader| $stdout.write(reader.read) }
when "zcat" then File.open(file, "rb") { |input| $stdout.write(Zlib::GzipReader.zcat(input)) }
when "gunzip" then $stdout.write(Zlib.gunzip(File.binread(file)))
when "http" then $stdout.write(Net::HTTP.get(URI(file)))
when "TarReader"
  Zlib::GzipReader.open(file) do |reader|
    Gem::Package::TarReader.new(reader).each do |entry|
      next unless entry.file?

      FileUtils.mkdir_p(File.dirname(entry.full_name))
      File.binwrite(entry.full_name, entry.read || "")
    end
  end
else abort "unknown method: #{method}"
end
